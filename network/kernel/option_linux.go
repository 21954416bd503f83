package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

var options = [network.Options]option{
	network.ReuseAddr:  {form: flag, level: unix.SOL_SOCKET, name: unix.SO_REUSEADDR},
	network.ReusePort:  {form: flag, level: unix.SOL_SOCKET, name: unix.SO_REUSEPORT},
	network.KeepAlive:  {form: flag, level: unix.SOL_SOCKET, name: unix.SO_KEEPALIVE},
	network.Broadcast:  {form: flag, level: unix.SOL_SOCKET, name: unix.SO_BROADCAST},
	network.Linger:     {form: lingerTime, level: unix.SOL_SOCKET, name: unix.SO_LINGER},
	network.RecvBuffer: {form: bufferSize, level: unix.SOL_SOCKET, name: unix.SO_RCVBUF},
	network.SendBuffer: {form: bufferSize, level: unix.SOL_SOCKET, name: unix.SO_SNDBUF},
	network.NoDelay:    {form: flag, level: unix.IPPROTO_TCP, name: unix.TCP_NODELAY},
	network.QuickAck:   {form: flag, level: unix.IPPROTO_TCP, name: unix.TCP_QUICKACK},
	network.FastOpenConnect: {form: flag, level: unix.IPPROTO_TCP,
		name: unix.TCP_FASTOPEN_CONNECT},
	network.KeepIdle:       {form: intValue, level: unix.IPPROTO_TCP, name: unix.TCP_KEEPIDLE},
	network.KeepInterval:   {form: intValue, level: unix.IPPROTO_TCP, name: unix.TCP_KEEPINTVL},
	network.KeepCount:      {form: intValue, level: unix.IPPROTO_TCP, name: unix.TCP_KEEPCNT},
	network.TTL:            {form: intValue, level: unix.IPPROTO_IP, name: unix.IP_TTL},
	network.MulticastTTL:   {form: intValue, level: unix.IPPROTO_IP, name: unix.IP_MULTICAST_TTL},
	network.MulticastLoop4: {form: flag, level: unix.IPPROTO_IP, name: unix.IP_MULTICAST_LOOP},
	network.MulticastLoop6: {form: flag, level: unix.IPPROTO_IPV6,
		name: unix.IPV6_MULTICAST_LOOP},
	network.V6Only: {form: flag, level: unix.IPPROTO_IPV6, name: unix.IPV6_V6ONLY},
	network.HopLimit: {form: intValue, level: unix.IPPROTO_IPV6,
		name: unix.IPV6_UNICAST_HOPS},
	network.MulticastHops: {form: intValue, level: unix.IPPROTO_IPV6,
		name: unix.IPV6_MULTICAST_HOPS},
	network.MulticastInterface4: {form: inet4, level: unix.IPPROTO_IP, name: unix.IP_MULTICAST_IF},
	network.MulticastInterface6: {form: intValue, level: unix.IPPROTO_IPV6,
		name: unix.IPV6_MULTICAST_IF},
	network.TOS:          {form: intValue, level: unix.IPPROTO_IP, name: unix.IP_TOS},
	network.TrafficClass: {form: intValue, level: unix.IPPROTO_IPV6, name: unix.IPV6_TCLASS},
	network.MaxSegment:   {form: intValue, level: unix.IPPROTO_TCP, name: unix.TCP_MAXSEG},
	network.UserTimeout:  {form: intValue, level: unix.IPPROTO_TCP, name: unix.TCP_USER_TIMEOUT},
	network.PendingError: {form: errnoValue, level: unix.SOL_SOCKET, name: unix.SO_ERROR},
	network.AcceptConn:   {form: readOnlyInt, level: unix.SOL_SOCKET, name: unix.SO_ACCEPTCONN},

	network.RecvPacketInfo4: {form: flag, level: unix.IPPROTO_IP, name: unix.IP_PKTINFO},
	network.RecvTTL:         {form: flag, level: unix.IPPROTO_IP, name: unix.IP_RECVTTL},
	network.RecvTOS:         {form: flag, level: unix.IPPROTO_IP, name: unix.IP_RECVTOS},
	network.RecvPacketInfo6: {form: flag, level: unix.IPPROTO_IPV6, name: unix.IPV6_RECVPKTINFO},
	network.RecvHopLimit:    {form: flag, level: unix.IPPROTO_IPV6, name: unix.IPV6_RECVHOPLIMIT},
	network.RecvTrafficClass: {form: flag, level: unix.IPPROTO_IPV6,
		name: unix.IPV6_RECVTCLASS},
	network.RecvTimestamp: {form: flag, level: unix.SOL_SOCKET, name: unix.SO_TIMESTAMP},
}

// getByte reads an int, which Linux takes where other kernels want a byte (ip(7)).
func getByte(fd, level, name int) (int, error) {
	return unix.GetsockoptInt(fd, level, name)
}

func setBuffer(fd, name, bytes int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, name, bytes)
}
