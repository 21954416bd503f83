//go:build dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// These systems give the destination and the interface as two messages, for which there are two
// options (ip(4) of FreeBSD). They take the source alone.
const (
	sentFields      = sentByBSDs
	sendsInterface4 = false

	recvPacketInfo4 = unix.IP_RECVDSTADDR
	recvInterface4  = unix.IP_RECVIF
)

// addPacketInfo4 adds IP_SENDSRCADDR, which is another name of IP_RECVDSTADDR.
func (w *controlWriter) addPacketInfo4(c *network.Control) {
	if c.Source.IsValid() && !c.Source.IsUnspecified() {
		source := c.Source.As4()
		copy(w.add(unix.IPPROTO_IP, unix.IP_RECVDSTADDR, len(source)), source[:])
	}
}

// getPacketInfo4 reads the message if it is of IPv4's packet information.
func getPacketInfo4(typ int32, data []byte, c *network.Control) bool {
	switch {
	case typ == unix.IP_RECVDSTADDR && len(data) >= 4:
		setDestination4(c, [4]byte(data))
	case typ == unix.IP_RECVIF && uintptr(len(data)) >= sizeofIndex:
		c.Interface = uint32((*unix.RawSockaddrDatalink)(unsafe.Pointer(&data[0])).Index)
	default:
		return false
	}
	return true
}

// sizeofIndex is how much of a struct sockaddr_dl holds the index of its interface. What follows
// may be cut short.
const sizeofIndex = unsafe.Offsetof(unix.RawSockaddrDatalink{}.Index) +
	unsafe.Sizeof(unix.RawSockaddrDatalink{}.Index)
