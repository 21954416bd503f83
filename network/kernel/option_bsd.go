//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// The bounds are those of Linux, so that a guest finds the same on every system.
var options = [network.Options]option{
	network.ReuseAddr:       {form: flag, level: unix.SOL_SOCKET, name: unix.SO_REUSEADDR},
	network.ReusePort:       {form: flag, level: unix.SOL_SOCKET, name: unix.SO_REUSEPORT},
	network.KeepAlive:       {form: flag, level: unix.SOL_SOCKET, name: unix.SO_KEEPALIVE},
	network.Broadcast:       {form: flag, level: unix.SOL_SOCKET, name: unix.SO_BROADCAST},
	network.Linger:          {form: lingerTime, level: unix.SOL_SOCKET, name: lingerSeconds},
	network.RecvBuffer:      {form: bufferSize, level: unix.SOL_SOCKET, name: unix.SO_RCVBUF},
	network.SendBuffer:      {form: bufferSize, level: unix.SOL_SOCKET, name: unix.SO_SNDBUF},
	network.NoDelay:         {form: flag, level: unix.IPPROTO_TCP, name: unix.TCP_NODELAY},
	network.QuickAck:        {form: unsupported},
	network.FastOpenConnect: {form: unsupported},
	network.KeepIdle:        {form: keep, level: unix.IPPROTO_TCP, name: keepIdle},
	network.KeepInterval:    {form: keep, level: unix.IPPROTO_TCP, name: keepInterval},
	network.KeepCount:       {form: keep, level: unix.IPPROTO_TCP, name: keepCount},
	network.TTL:             {form: intValue, level: unix.IPPROTO_IP, name: unix.IP_TTL},
	network.MulticastTTL:    {form: byteValue, level: unix.IPPROTO_IP, name: unix.IP_MULTICAST_TTL},
	network.MulticastLoop4: {form: byteFlag, level: unix.IPPROTO_IP,
		name: unix.IP_MULTICAST_LOOP},
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
	network.UserTimeout:  {form: unsupported},
	network.PendingError: {form: errnoValue, level: unix.SOL_SOCKET, name: unix.SO_ERROR},
	network.AcceptConn:   {form: readOnlyInt, level: unix.SOL_SOCKET, name: unix.SO_ACCEPTCONN},

	network.RecvPacketInfo4: {form: flag, level: unix.IPPROTO_IP, name: recvPacketInfo4,
		also: recvInterface4},
	network.RecvTTL:         {form: flag, level: unix.IPPROTO_IP, name: unix.IP_RECVTTL},
	network.RecvTOS:         {form: recvTOS, level: unix.IPPROTO_IP, name: typeTOS},
	network.RecvPacketInfo6: {form: flag, level: unix.IPPROTO_IPV6, name: unix.IPV6_RECVPKTINFO},
	network.RecvHopLimit:    {form: flag, level: unix.IPPROTO_IPV6, name: unix.IPV6_RECVHOPLIMIT},
	network.RecvTrafficClass: {form: flag, level: unix.IPPROTO_IPV6,
		name: unix.IPV6_RECVTCLASS},
	network.RecvTimestamp: {form: flag, level: unix.SOL_SOCKET, name: unix.SO_TIMESTAMP},
}

func getByte(fd, level, name int) (int, error) {
	b, err := unix.GetsockoptByte(fd, level, name)
	return int(b), err
}

// setBuffer halves the size until the system grants it. Linux grants the largest size that it can
// (socket(7), SO_RCVBUF).
func setBuffer(fd, name, bytes int) error {
	for bytes = max(bytes, 1); ; bytes /= 2 {
		err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, name, bytes)
		if err != unix.ENOBUFS || bytes <= 1 {
			return err
		}
	}
}
