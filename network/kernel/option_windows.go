package kernel

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/internal/errno"
	"github.com/wasport/wasport/network"
)

// Constants of ws2def.h, ws2ipdef.h and mstcpip.h that golang.org/x/sys does not have.
const (
	soAcceptConn  = 0x0002
	soError       = 0x1007
	tcpKeepIdle   = 3
	tcpMaxSeg     = 4
	tcpKeepCount  = 16
	tcpKeepIntvl  = 17
	ipTOS         = 3
	ipTTL         = 4
	ipMulticastIf = 9
	ipMulticastTT = 10
	ipMulticastLo = 11
	ipv6Hops      = 4
	ipv6Class     = 39
	ipRecvTTL     = 21
	ipRecvTOS     = 40
	ipv6HopLimit  = 21
	ipv6RecvClass = 40
)

// The bounds are those of Linux, so that a guest finds the same on every system. SO_REUSEADDR is
// emulated: on Windows it lets other programs take the address over, and binding again after a
// restart works without it.
var options = [network.Options]option{
	network.ReuseAddr: {form: unsupported},
	network.ReusePort: {form: unsupported},
	network.KeepAlive: {form: flag, level: windows.SOL_SOCKET,
		name: windows.SO_KEEPALIVE},
	network.Broadcast: {form: flag, level: windows.SOL_SOCKET,
		name: windows.SO_BROADCAST},
	network.Linger: {form: lingerTime, level: windows.SOL_SOCKET,
		name: windows.SO_LINGER},
	network.RecvBuffer: {form: bufferSize, level: windows.SOL_SOCKET, name: windows.SO_RCVBUF},
	network.SendBuffer: {form: bufferSize, level: windows.SOL_SOCKET, name: windows.SO_SNDBUF},
	network.NoDelay: {form: flag, level: windows.IPPROTO_TCP,
		name: windows.TCP_NODELAY},
	network.QuickAck:        {form: unsupported},
	network.FastOpenConnect: {form: unsupported},
	network.KeepIdle:        {form: intValue, level: windows.IPPROTO_TCP, name: tcpKeepIdle},
	network.KeepInterval:    {form: intValue, level: windows.IPPROTO_TCP, name: tcpKeepIntvl},
	network.KeepCount:       {form: intValue, level: windows.IPPROTO_TCP, name: tcpKeepCount},
	network.TTL:             {form: intValue, level: windows.IPPROTO_IP, name: ipTTL},
	network.MulticastTTL:    {form: intValue, level: windows.IPPROTO_IP, name: ipMulticastTT},
	network.MulticastLoop4:  {form: flag, level: windows.IPPROTO_IP, name: ipMulticastLo},
	network.MulticastLoop6: {form: flag, level: windows.IPPROTO_IPV6,
		name: windows.IPV6_MULTICAST_LOOP},
	network.V6Only: {form: flag, level: windows.IPPROTO_IPV6,
		name: windows.IPV6_V6ONLY},
	network.HopLimit: {form: intValue, level: windows.IPPROTO_IPV6, name: ipv6Hops},
	network.MulticastHops: {form: intValue, level: windows.IPPROTO_IPV6,
		name: windows.IPV6_MULTICAST_HOPS},
	network.MulticastInterface4: {form: inet4, level: windows.IPPROTO_IP, name: ipMulticastIf},
	network.MulticastInterface6: {form: intValue, level: windows.IPPROTO_IPV6,
		name: windows.IPV6_MULTICAST_IF},
	network.TOS:          {form: intValue, level: windows.IPPROTO_IP, name: ipTOS},
	network.TrafficClass: {form: intValue, level: windows.IPPROTO_IPV6, name: ipv6Class},
	network.MaxSegment:   {form: intValue, level: windows.IPPROTO_TCP, name: tcpMaxSeg},
	network.UserTimeout:  {form: unsupported},
	network.PendingError: {form: errnoValue, level: windows.SOL_SOCKET, name: soError},
	network.AcceptConn:   {form: readOnlyInt, level: windows.SOL_SOCKET, name: soAcceptConn},

	network.RecvPacketInfo4: {form: flag, level: windows.IPPROTO_IP, name: windows.IP_PKTINFO},
	network.RecvTTL:         {form: flag, level: windows.IPPROTO_IP, name: ipRecvTTL},
	network.RecvTOS:         {form: flag, level: windows.IPPROTO_IP, name: ipRecvTOS},
	network.RecvPacketInfo6: {form: flag, level: windows.IPPROTO_IPV6,
		name: windows.IPV6_PKTINFO},
	network.RecvHopLimit:     {form: flag, level: windows.IPPROTO_IPV6, name: ipv6HopLimit},
	network.RecvTrafficClass: {form: flag, level: windows.IPPROTO_IPV6, name: ipv6RecvClass},
	network.RecvTimestamp:    {form: unsupported},
}

// getInt reads an option. Winsock writes only a byte for flags.
func getInt(fd descriptor, level, name int) (int, error) {
	var v int32
	size := int32(unsafe.Sizeof(v))
	err := windows.Getsockopt(fd, int32(level), int32(name), (*byte)(unsafe.Pointer(&v)), &size)
	return int(v), posix(err)
}

func setInt(fd descriptor, level, name, v int) error {
	return posix(windows.SetsockoptInt(fd, level, name, v))
}

func getByte(fd descriptor, level, name int) (int, error) {
	return getInt(fd, level, name)
}

func setByte(fd descriptor, level, name int, v byte) error {
	return setInt(fd, level, name, int(v))
}

func setBuffer(fd descriptor, name, bytes int) error {
	return setInt(fd, windows.SOL_SOCKET, name, bytes)
}

func getAddr(fd descriptor, level, name int) (a [4]byte, err error) {
	size := int32(len(a))
	err = windows.Getsockopt(fd, int32(level), int32(name), &a[0], &size)
	return a, posix(err)
}

func setAddr(fd descriptor, level, name int, a [4]byte) error {
	return posix(windows.SetsockoptInet4Addr(fd, level, name, a))
}

// sysPendingError reads SO_ERROR. Winsock has no error there after a reset: a receive tells it.
func sysPendingError(fd descriptor, typ network.Type) (syscall.Errno, error) {
	n, err := getInt(fd, windows.SOL_SOCKET, soError)
	if e := errno.Socket(syscall.Errno(n)); e != 0 || err != nil || typ != network.Stream {
		return e, err
	}
	return resetError(fd), nil
}

// resetError returns the error with which a connection has failed, or 0.
func resetError(fd descriptor) syscall.Errno {
	var b [1]byte
	buf := [1][]byte{b[:]}
	_, err := sysRecv(fd, buf[:], network.Peek)
	if isFailure(err) {
		return err.(syscall.Errno)
	}
	return 0
}

// getLinger and setLinger use -1 for "off".
func getLinger(fd descriptor, level, name int) (int64, error) {
	var l struct{ on, seconds uint16 }
	size := int32(unsafe.Sizeof(l))
	err := windows.Getsockopt(fd, int32(level), int32(name), (*byte)(unsafe.Pointer(&l)), &size)
	if err != nil {
		return 0, posix(err)
	}
	if l.on == 0 {
		return -1, nil
	}
	return int64(l.seconds), nil
}

func setLinger(fd descriptor, level, name int, seconds int64) error {
	l := windows.Linger{}
	if seconds >= 0 {
		l = windows.Linger{Onoff: 1, Linger: int32(min(seconds, 65535))}
	}
	return posix(windows.SetsockoptLinger(fd, level, name, &l))
}
