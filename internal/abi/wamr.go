package abi

import (
	"net/netip"

	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// wamr has the functions that WAMR added to preview 1; those for options are in options.go. Source:
// WAMR's wasi_socket_ext.h. docs/abi.md lists the differences.
var wamr = []row{
	{"sock_open", "iiii", "i", "-ddo", sockOpen},
	{"sock_bind", "ii", "i", "fa", sockBind},
	{"sock_listen", "ii", "i", "fd", sockListen},
	{"sock_connect", "ii", "i", "fa", sockConnect},
	{"sock_close", "i", "i", "f", fdClose},
	{"sock_send_to", "iiiiii", "i", "fv-xao", sockSendTo},
	{"sock_recv_from", "iiiiii", "i", "fV-xAo", sockRecvFrom},
	{"sock_addr_local", "ii", "i", "fA", sockAddrLocal},
	{"sock_addr_remote", "ii", "i", "fA", sockAddrRemote},
	{"sock_addr_resolve", "iiiiii", "i", "zzppdo", sockAddrResolve},
}

var noAddress netip.AddrPort

// getAddr reads the wasi_addr_t at ptr.
func getAddr(m wasi.MemoryView, ptr uint64) (netip.AddrPort, wasi.Errno) {
	b, e := m.Slice(uint32(ptr), wasi.SizeAddr)
	if e != wasi.Success {
		return noAddress, e
	}
	return wasi.GetAddr(append(make([]byte, 0, wasi.SizeAddr), b...))
}

func sockOpen(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[3]), 4); e != wasi.Success {
		return e
	}
	var family network.Family
	switch int32(a[1]) {
	case wasi.AddressFamilyInet4:
		family = network.IPv4
	case wasi.AddressFamilyInet6:
		family = network.IPv6
	default:
		return wasi.EAFNOSUPPORT
	}
	var typ network.Type
	switch int32(a[2]) {
	case wasi.SocketTypeDgram:
		typ = network.Datagram
	case wasi.SocketTypeStream:
		typ = network.Stream
	default:
		return wasi.EINVAL
	}
	fd, err := c.Open(family, typ)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(a[3]), uint32(fd))
}

func sockBind(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	addr, e := getAddr(m, a[1])
	if e != wasi.Success {
		return e
	}
	return wasi.ErrnoOf(c.Bind(int32(a[0]), addr))
}

func sockListen(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return wasi.ErrnoOf(c.Listen(int32(a[0]), int(int32(a[1]))))
}

func sockConnect(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	addr, e := getAddr(m, a[1])
	if e != wasi.Success {
		return e
	}
	return wasi.ErrnoOf(c.Connect(int32(a[0]), addr))
}

func sockSendTo(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	addr, e := getAddr(m, a[4])
	if e != wasi.Success {
		return e
	}
	bufs, e := c.buffers(m, a[1], a[2], a[5])
	if e != wasi.Success {
		return e
	}
	n, err := c.Send(int32(a[0]), bufs, addr, 0)
	return putCount(m, a[5], n, err)
}

// sockRecvFrom writes the source address, unless its pointer is 0.
func sockRecvFrom(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	src, e := sliceOrNil(m, a[4], wasi.SizeAddr)
	if e != wasi.Success {
		return e
	}
	r, e := c.receive(m, a[0], a[1], a[2], a[3], a[5], wasi.Riflags, nil)
	if e == wasi.Success && src != nil {
		wasi.PutAddr(src, r.From)
	}
	return e
}

// sliceOrNil returns the memory at a pointer, or nil if the pointer is 0.
func sliceOrNil(m wasi.MemoryView, ptr uint64, size uint32) ([]byte, wasi.Errno) {
	if uint32(ptr) == 0 {
		return nil, wasi.Success
	}
	return m.Slice(uint32(ptr), size)
}

func sockAddrLocal(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return putAddr(m, a, c.LocalAddr)
}

func sockAddrRemote(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return putAddr(m, a, c.RemoteAddr)
}

func putAddr(m wasi.MemoryView, a []uint64, query func(int32) (netip.AddrPort, error)) wasi.Errno {
	b, e := m.Slice(uint32(a[1]), wasi.SizeAddr)
	if e != wasi.Success {
		return e
	}
	addr, err := query(int32(a[0]))
	if err == nil {
		wasi.PutAddr(b, addr)
	}
	return wasi.ErrnoOf(err)
}

// maxName bounds host and service names. A host name has at most 253 bytes (RFC 1035, section
// 2.3.4); a guest may pass a longer one, which is then not found.
const maxName = 1024

func sockAddrResolve(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	host, e := m.CString(uint32(a[0]), maxName)
	if e != wasi.Success {
		return e
	}
	service, e := m.CString(uint32(a[1]), maxName)
	if e != wasi.Success {
		return e
	}
	raw, e := m.Slice(uint32(a[2]), wasi.SizeAddrHints)
	if e != wasi.Success {
		return e
	}
	family, typ, e := decodeHints(wasi.GetAddrHints(append(make([]byte, 0, wasi.SizeAddrHints),
		raw...)))
	if e != wasi.Success {
		return e
	}
	capacity := uint32(a[4])
	if uint64(capacity)*wasi.SizeAddrInfo > uint64(len(m)) {
		return wasi.EFAULT
	}
	out, e := m.Slice(uint32(a[3]), capacity*wasi.SizeAddrInfo)
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[5]), 4); e != wasi.Success {
		return e
	}
	found, err := c.Resolve(host, service, family, typ)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	for i, r := range found[:min(len(found), int(capacity))] {
		socketType := int32(wasi.SocketTypeStream)
		if r.Type == network.Datagram {
			socketType = wasi.SocketTypeDgram
		}
		wasi.PutAddrInfo(out[i*wasi.SizeAddrInfo:], r.Addr, socketType)
	}
	return m.PutUint32(uint32(a[5]), uint32(len(found)))
}

// decodeHints decodes the hints of a lookup. If hints_enabled is 0, the other fields are garbage in
// ordinary guests.
func decodeHints(h wasi.AddrHints) (network.Family, network.Type, wasi.Errno) {
	if !h.Enabled {
		return network.AnyFamily, network.AnyType, wasi.Success
	}
	family, ok := map[int32]network.Family{
		wasi.AddressFamilyInet4: network.IPv4, wasi.AddressFamilyInet6: network.IPv6,
		wasi.AddressFamilyUnspec: network.AnyFamily,
	}[h.Family]
	if !ok {
		return 0, 0, wasi.EAFNOSUPPORT
	}
	typ, ok := map[int32]network.Type{
		wasi.SocketTypeStream: network.Stream, wasi.SocketTypeDgram: network.Datagram,
		wasi.SocketTypeAny: network.AnyType,
	}[h.Type]
	if !ok {
		return 0, 0, wasi.EINVAL
	}
	return family, typ, wasi.Success
}
