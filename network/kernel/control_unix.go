//go:build unix

package kernel

import (
	"encoding/binary"
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
		w.addPacketInfo4(c)
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
		if uint64(h.Len) < uint64(unix.CmsgLen(0)) || uint64(h.Len) > uint64(len(b)) {
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
	case level == unix.IPPROTO_IP && getPacketInfo4(typ, data, c):
	case k == kind{unix.IPPROTO_IPV6, unix.IPV6_PKTINFO} && len(data) >= unix.SizeofInet6Pktinfo:
		info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&data[0]))
		setPacketInfo6(c, info.Addr, info.Ifindex)
	case k == kind{unix.IPPROTO_IP, typeTTL} && len(data) >= 1:
		c.Fields |= network.PacketTTL
		c.HopLimit = byteOrInt(data)
	case k == kind{unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT} && len(data) >= 4:
		c.Fields |= network.PacketHopLimit
		c.HopLimit = nativeInt(data)
	case k == kind{unix.IPPROTO_IP, typeTOS} && len(data) >= 1:
		c.Fields |= network.PacketTOS
		c.TrafficClass = byteOrInt(data)
	case k == kind{unix.IPPROTO_IPV6, unix.IPV6_TCLASS} && len(data) >= 4:
		c.Fields |= network.PacketTrafficClass
		c.TrafficClass = nativeInt(data)
	case k == kind{unix.SOL_SOCKET, typeTime} &&
		uintptr(len(data)) >= unsafe.Sizeof(unix.Timeval{}):
		c.Fields |= network.PacketTime
		c.Time = (*unix.Timeval)(unsafe.Pointer(&data[0])).Nano()
	}
}

// byteOrInt returns a number that some systems give as a byte and others as an int (ip(7) of Linux,
// ip(4) of FreeBSD).
func byteOrInt(b []byte) int32 {
	if len(b) < 4 {
		return int32(b[0])
	}
	return nativeInt(b)
}

func nativeInt(b []byte) int32 { return int32(binary.NativeEndian.Uint32(b)) }
