package kernel

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// controlBuf has room for every control message that a datagram can have. Its type aligns it.
type controlBuf [64]uint64

func (b *controlBuf) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(b)), unsafe.Sizeof(*b))
}

// A controlWriter writes control messages (cmsg(3)).
type controlWriter struct {
	b []byte
	n int
}

// add returns the data of a new message.
func (w *controlWriter) add(level, typ int32, size int) []byte {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&w.b[w.n]))
	h.Level, h.Type = level, typ
	h.SetLen(unix.CmsgLen(size))
	data := w.b[w.n+unix.CmsgLen(0):][:size]
	w.n += unix.CmsgSpace(size)
	return data
}

func (w *controlWriter) addInt(level, typ, v int32) {
	binary.NativeEndian.PutUint32(w.add(level, typ, 4), uint32(v))
}

// putControl writes the messages of the fields that checkControl has allowed.
func putControl(b []byte, c *network.Control) int {
	w := controlWriter{b: b}
	if c.Fields&network.PacketInfo4 != 0 {
		info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&w.add(unix.IPPROTO_IP, unix.IP_PKTINFO,
			unix.SizeofInet4Pktinfo)[0]))
		info.Ifindex = int32(c.Interface)
		if c.Source.IsValid() {
			info.Spec_dst = c.Source.As4()
		}
	}
	if c.Fields&network.PacketTTL != 0 {
		w.addInt(unix.IPPROTO_IP, unix.IP_TTL, c.HopLimit)
	}
	if c.Fields&network.PacketTOS != 0 {
		w.addInt(unix.IPPROTO_IP, unix.IP_TOS, c.TrafficClass)
	}
	if c.Fields&network.PacketInfo6 != 0 {
		info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&w.add(unix.IPPROTO_IPV6, unix.IPV6_PKTINFO,
			unix.SizeofInet6Pktinfo)[0]))
		info.Ifindex = c.Interface
		if c.Source.IsValid() {
			info.Addr = c.Source.As16()
		}
	}
	if c.Fields&network.PacketHopLimit != 0 {
		w.addInt(unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, c.HopLimit)
	}
	if c.Fields&network.PacketTrafficClass != 0 {
		w.addInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, c.TrafficClass)
	}
	return w.n
}

// getControl reads the messages that the kernel wrote.
func getControl(b []byte, c *network.Control) {
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		if h.Len < unix.SizeofCmsghdr || uint64(h.Len) > uint64(len(b)) {
			return
		}
		data := b[unix.CmsgLen(0):h.Len]
		getMessage(h.Level, h.Type, data, c)
		b = b[min(unix.CmsgSpace(len(data)), len(b)):]
	}
}

// getMessage reads one message; a type that is not known, or cut short, is left out.
func getMessage(level, typ int32, data []byte, c *network.Control) {
	type kind struct{ level, typ int32 }
	switch k := (kind{level, typ}); {
	case k == kind{unix.IPPROTO_IP, unix.IP_PKTINFO} && len(data) >= unix.SizeofInet4Pktinfo:
		info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0]))
		c.Fields |= network.PacketInfo4
		c.Interface = uint32(info.Ifindex)
		c.Destination, c.Source = netip.AddrFrom4(info.Addr), netip.AddrFrom4(info.Spec_dst)
	case k == kind{unix.IPPROTO_IPV6, unix.IPV6_PKTINFO} && len(data) >= unix.SizeofInet6Pktinfo:
		info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&data[0]))
		c.Fields |= network.PacketInfo6
		c.Interface = info.Ifindex
		if a := netip.AddrFrom16(info.Addr); !a.Is4In6() {
			c.Destination = a
			if !a.IsMulticast() {
				c.Source = a
			}
		} else if !c.Destination.IsValid() {
			c.Destination, c.Source = a.Unmap(), a.Unmap()
		}
	case k == kind{unix.IPPROTO_IP, unix.IP_TTL} && len(data) >= 4:
		c.Fields |= network.PacketTTL
		c.HopLimit = nativeInt(data)
	case k == kind{unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT} && len(data) >= 4:
		c.Fields |= network.PacketHopLimit
		c.HopLimit = nativeInt(data)
	case k == kind{unix.IPPROTO_IP, unix.IP_TOS} && len(data) >= 1: // one byte (ip(7))
		c.Fields |= network.PacketTOS
		c.TrafficClass = int32(data[0])
	case k == kind{unix.IPPROTO_IPV6, unix.IPV6_TCLASS} && len(data) >= 4:
		c.Fields |= network.PacketTrafficClass
		c.TrafficClass = nativeInt(data)
	case k == kind{unix.SOL_SOCKET, unix.SO_TIMESTAMP} &&
		uintptr(len(data)) >= unsafe.Sizeof(unix.Timeval{}):
		c.Fields |= network.PacketTime
		c.Time = (*unix.Timeval)(unsafe.Pointer(&data[0])).Nano()
	}
}

func nativeInt(b []byte) int32 { return int32(binary.NativeEndian.Uint32(b)) }
