package kernel

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

// sentFields are those that Microsoft's reference of WSASendMsg names.
const (
	sentFields      = network.PacketInfo4 | network.PacketInfo6
	sendsInterface4 = true
)

// controlBuf has room for every control message that a datagram can have. Its type aligns it.
type controlBuf [32]uint64

func (b *controlBuf) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(b)), unsafe.Sizeof(*b))
}

// The header of a message ends, and the next one begins, at a multiple of a pointer's size
// (WSA_CMSG_SPACE of ws2def.h).
const (
	sizeofPtr  = int(unsafe.Sizeof(uintptr(0)))
	sizeofCmsg = int(unsafe.Sizeof(windows.WSACMSGHDR{}))
)

func cmsgAlign(n int) int { return (n + sizeofPtr - 1) &^ (sizeofPtr - 1) }

// putControl writes the messages of the fields that checkControl has allowed.
func putControl(b []byte, c *network.Control) (n int) {
	if c.Fields&network.PacketInfo4 != 0 {
		info := windows.IN_PKTINFO{Ifindex: c.Interface}
		if c.Source.IsValid() {
			info.Addr = c.Source.As4()
		}
		n += putMessage(b[n:], windows.IPPROTO_IP, windows.IP_PKTINFO, info)
	}
	if c.Fields&network.PacketInfo6 != 0 {
		info := windows.IN6_PKTINFO{Ifindex: c.Interface}
		if c.Source.IsValid() {
			info.Addr = c.Source.As16()
		}
		n += putMessage(b[n:], windows.IPPROTO_IPV6, windows.IPV6_PKTINFO, info)
	}
	return n
}

// putMessage writes a message, and returns the space that it takes.
func putMessage[T windows.IN_PKTINFO | windows.IN6_PKTINFO](b []byte, level, typ int32,
	data T) int {
	end := sizeofCmsg + int(unsafe.Sizeof(data))
	*(*windows.WSACMSGHDR)(unsafe.Pointer(&b[0])) = windows.WSACMSGHDR{Len: uintptr(end),
		Level: level, Type: typ}
	*(*T)(unsafe.Pointer(&b[sizeofCmsg])) = data
	return cmsgAlign(end)
}

// getControl reads the messages that the system wrote.
func getControl(b []byte, c *network.Control) {
	for len(b) >= sizeofCmsg {
		h := (*windows.WSACMSGHDR)(unsafe.Pointer(&b[0]))
		if h.Len < uintptr(sizeofCmsg) || h.Len > uintptr(len(b)) {
			return
		}
		getMessage(h.Level, h.Type, b[sizeofCmsg:h.Len], c)
		b = b[min(cmsgAlign(int(h.Len)), len(b)):]
	}
}

// getMessage reads one message; a type that is not known, or cut short, is left out. The number of
// hops has the type of the field in one version of Windows, and of the option in another.
func getMessage(level, typ int32, data []byte, c *network.Control) {
	type kind struct{ level, typ int32 }
	number := func(field network.ControlFields, v *int32) {
		c.Fields |= field
		*v = int32(binary.NativeEndian.Uint32(data))
	}
	switch k := (kind{level, typ}); {
	case k == kind{windows.IPPROTO_IP, windows.IP_PKTINFO} &&
		uintptr(len(data)) >= unsafe.Sizeof(windows.IN_PKTINFO{}):
		info := (*windows.IN_PKTINFO)(unsafe.Pointer(&data[0]))
		c.Interface = info.Ifindex
		setDestination4(c, info.Addr)
	case k == kind{windows.IPPROTO_IPV6, windows.IPV6_PKTINFO} &&
		uintptr(len(data)) >= unsafe.Sizeof(windows.IN6_PKTINFO{}):
		info := (*windows.IN6_PKTINFO)(unsafe.Pointer(&data[0]))
		setPacketInfo6(c, info.Addr, info.Ifindex)
	case len(data) < 4:
	case k == kind{windows.IPPROTO_IP, ipTTL}, k == kind{windows.IPPROTO_IP, ipRecvTTL}:
		number(network.PacketTTL, &c.HopLimit)
	case k == kind{windows.IPPROTO_IP, ipTOS}:
		number(network.PacketTOS, &c.TrafficClass)
	case k == kind{windows.IPPROTO_IPV6, ipv6HopLimit}:
		number(network.PacketHopLimit, &c.HopLimit)
	case k == kind{windows.IPPROTO_IPV6, ipv6Class}:
		number(network.PacketTrafficClass, &c.TrafficClass)
	}
}
