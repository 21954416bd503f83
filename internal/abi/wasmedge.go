package abi

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// WasmEdge's socket functions share preview 1's module and the names of WAMR's, with other
// parameters. V1 is older than WasmEdge 0.12, which brought V2. A guest may mix them, so each
// import is found by its name and parameters. Functions that are equal in preview 1 or WAMR are not
// repeated: sock_recv, sock_send, sock_shutdown, sock_listen, and V2's sock_accept.
//
// Sources: WasmEdge's lib/host/wasi/wasimodule.cpp and wasifunc.cpp, the Rust crate
// wasmedge_wasi_socket 0.5.5, github.com/stealthrocket/net 0.2.1. docs/abi.md lists the differences
// between hosts.
var (
	wasmEdge = []row{
		{"sock_open", "iii", "i", "ddo", edgeOpen},
		{"sock_bind", "iii", "i", "fw-", edgeBind},
		{"sock_connect", "iii", "i", "fw-", edgeConnect},
		{"sock_send_to", "iiiiiii", "i", "fv-w-xo", edgeSendTo},
		{"sock_getsockopt", "iiiii", "i", "fddpx", edgeGetOption},
		{"sock_setsockopt", "iiiii", "i", "fddpd", edgeSetOption},
		{"sock_getaddrinfo", "iiiiiiii", "i", "s-s-ppdo", edgeAddrInfo},
		{"epoll_oneoff", "iiii", "i", "PEdo", pollOneoff},
	}
	wasmEdgeV1 = []row{
		{"sock_accept", "ii", "i", "fo", edgeAcceptV1},
		{"sock_recv_from", "iiiiiii", "i", "fV-Wxoh", edgeRecvFromV1},
		{"sock_getlocaladdr", "iiii", "i", "fWoo", edgeLocalAddrV1},
		{"sock_getpeeraddr", "iiii", "i", "fWoo", edgePeerAddrV1},
	}
	wasmEdgeV2 = []row{
		{"sock_recv_from", "iiiiiiii", "i", "fV-Wxhoh", edgeRecvFromV2},
		{"sock_getlocaladdr", "iii", "i", "fWo", edgeLocalAddrV2},
		{"sock_getpeeraddr", "iii", "i", "fWo", edgePeerAddrV2},
		{"sock_open_v2", "iii", "i", "ddo", edgeOpen},
		{"sock_bind_v2", "iii", "i", "fw-", edgeBind},
		{"sock_connect_v2", "iii", "i", "fw-", edgeConnect},
		{"sock_listen_v2", "ii", "i", "fd", sockListen},
		{"sock_accept_v2", "iii", "i", "fxo", sockAccept},
		{"sock_recv_v2", "iiiiii", "i", "fV-xoh", sockRecv},
		{"sock_recv_from_v2", "iiiiiiii", "i", "fV-Wxhoh", edgeRecvFromV2},
		{"sock_send_v2", "iiiii", "i", "fv-xo", sockSend},
		{"sock_send_to_v2", "iiiiiii", "i", "fv-w-xo", edgeSendTo},
		{"sock_getlocaladdr_v2", "iii", "i", "fWo", edgeLocalAddrV2},
		{"sock_getpeeraddr_v2", "iii", "i", "fWo", edgePeerAddrV2},
	}
)

// edgeFamilies and edgeTypes map WasmEdge's numbers. AF_UNIX is not supported.
var (
	edgeFamilies = map[uint32]network.Family{
		wasi.EdgeFamilyInet4: network.IPv4, wasi.EdgeFamilyInet6: network.IPv6,
	}
	edgeTypes = map[uint32]network.Type{
		wasi.EdgeTypeDgram: network.Datagram, wasi.EdgeTypeStream: network.Stream,
	}
)

func edgeOpen(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[2]), 4); e != wasi.Success {
		return e
	}
	if uint32(a[0]) == wasi.EdgeFamilyUnix {
		return wasi.ENOTSUP
	}
	family, known := edgeFamilies[uint32(a[0])]
	typ, ok := edgeTypes[uint32(a[1])]
	if !known || !ok {
		return wasi.EINVAL
	}
	fd, err := c.Open(family, typ)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(a[2]), uint32(fd))
}

// edgeBuffer returns the buffer that an address argument describes.
func edgeBuffer(m wasi.MemoryView, ptr uint64) ([]byte, wasi.Errno) {
	arg, e := m.Slice(uint32(ptr), wasi.SizeEdgeAddr)
	if e != wasi.Success {
		return nil, e
	}
	// Another thread may change the argument between its two fields: copy it once.
	at := wasi.GetEdgeAddr(append(make([]byte, 0, wasi.SizeEdgeAddr), arg...))
	return m.Slice(at.Ptr, at.Len)
}

// edgeAddr decodes an address argument and a port in host byte order.
func edgeAddr(m wasi.MemoryView, ptr, port uint64) (netip.AddrPort, wasi.Errno) {
	b, e := edgeBuffer(m, ptr)
	if e != wasi.Success {
		return noAddress, e
	}
	if len(b) > wasi.SizeEdgeStorage { // no valid length, so nothing is copied
		return noAddress, wasi.EINVAL
	}
	ip, e := wasi.GetEdgeIP(append(make([]byte, 0, wasi.SizeEdgeStorage), b...))
	return netip.AddrPortFrom(ip, uint16(port)), e
}

func edgeBind(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	addr, e := edgeAddr(m, a[1], a[2])
	if e != wasi.Success {
		return e
	}
	return wasi.ErrnoOf(c.Bind(int32(a[0]), addr))
}

func edgeConnect(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	addr, e := edgeAddr(m, a[1], a[2])
	if e != wasi.Success {
		return e
	}
	return wasi.ErrnoOf(c.Connect(int32(a[0]), addr))
}

func edgeAcceptV1(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return sockAccept(c, m, []uint64{a[0], 0, a[1]})
}

func edgeSendTo(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if _, e := edgeBuffer(m, a[3]); e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[6]), 4); e != wasi.Success {
		return e
	}
	addr, e := edgeAddr(m, a[3], a[4])
	if e != wasi.Success {
		return e
	}
	if uint32(a[5]) != 0 { // preview 1 has no flags for sending
		return wasi.EINVAL
	}
	bufs, e := c.buffers(m, a[1], a[2], a[6])
	if e != wasi.Success {
		return e
	}
	n, err := c.Send(int32(a[0]), bufs, addr, 0)
	return putCount(m, a[6], n, err)
}

func edgeRecvFromV1(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return c.edgeReceive(m, edgeReceiveArgs{a[0], a[1], a[2], a[3], a[4], a[5], a[6], nil})
}

func edgeRecvFromV2(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	port, e := m.Slice(uint32(a[5]), 4)
	if e != wasi.Success {
		return e
	}
	return c.edgeReceive(m, edgeReceiveArgs{a[0], a[1], a[2], a[3], a[4], a[6], a[7], port})
}

// edgeReceiveArgs are the arguments of sock_recv_from. V1 does not return the port; then it is nil.
type edgeReceiveArgs struct {
	fd, iovs, count, addr, riflags, length, roflags uint64
	port                                            []byte
}

func (c *Caller) edgeReceive(m wasi.MemoryView, a edgeReceiveArgs) wasi.Errno {
	buf, e := edgeBuffer(m, a.addr)
	if e != wasi.Success {
		return e
	}
	roflags, e := m.Slice(uint32(a.roflags), 2)
	if e != wasi.Success {
		return e
	}
	if e := c.edgeCheckAddrLen(a.fd, buf); e != wasi.Success {
		return e
	}
	r, e := c.receive(m, a.fd, a.iovs, a.count, a.riflags, a.length, wasi.Riflags, nil)
	if e != wasi.Success {
		return e
	}
	flags := uint16(0)
	if r.Truncated {
		flags = wasi.RoflagDataTruncated
	}
	binary.LittleEndian.PutUint16(roflags, flags)
	if r.From.IsValid() {
		wasi.PutEdgeIP(buf, r.From.Addr())
	}
	if a.port != nil {
		binary.LittleEndian.PutUint32(a.port, uint32(r.From.Port()))
	}
	return wasi.Success
}

// edgeCheckAddrLen checks that the source address will fit the buffer before a datagram is
// received: 4 bytes hold no IPv6 address.
func (c *Caller) edgeCheckAddrLen(fd uint64, buf []byte) wasi.Errno {
	switch len(buf) {
	case 16, wasi.SizeEdgeStorage:
		return wasi.Success
	case 4:
		local, err := c.LocalAddr(int32(fd))
		if err != nil {
			return wasi.ErrnoOf(err)
		}
		if local.Addr().Is4() {
			return wasi.Success
		}
	}
	return wasi.EINVAL
}

func edgeLocalAddrV1(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return edgePutAddrV1(m, a, c.LocalAddr)
}

func edgePeerAddrV1(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return edgePutAddrV1(m, a, c.RemoteAddr)
}

// edgePutAddrV1 writes the kind of an address as the version of IP, 4 or 6, not as a family.
func edgePutAddrV1(m wasi.MemoryView, a []uint64,
	query func(int32) (netip.AddrPort, error)) wasi.Errno {
	buf, e := edgeBuffer(m, a[1])
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[2]), 4); e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[3]), 4); e != wasi.Success {
		return e
	}
	if len(buf) != 4 && len(buf) != 16 {
		return wasi.EINVAL
	}
	addr, err := query(int32(a[0]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	version := uint32(6)
	if addr.Addr().Is4() {
		version = 4
	}
	if e := wasi.PutEdgeIP(buf, addr.Addr()); e != wasi.Success {
		return e
	}
	m.PutUint32(uint32(a[2]), version)
	return m.PutUint32(uint32(a[3]), uint32(addr.Port()))
}

func edgeLocalAddrV2(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return edgePutAddrV2(m, a, c.LocalAddr)
}

func edgePeerAddrV2(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return edgePutAddrV2(m, a, c.RemoteAddr)
}

func edgePutAddrV2(m wasi.MemoryView, a []uint64,
	query func(int32) (netip.AddrPort, error)) wasi.Errno {
	buf, e := edgeBuffer(m, a[1])
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[2]), 4); e != wasi.Success {
		return e
	}
	if len(buf) != wasi.SizeEdgeStorage {
		return wasi.EINVAL
	}
	addr, err := query(int32(a[0]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	wasi.PutEdgeIP(buf, addr.Addr())
	return m.PutUint32(uint32(a[2]), uint32(addr.Port()))
}

// edgeString reads a string with its length, which usually includes a NUL at the end.
func edgeString(m wasi.MemoryView, ptr, length uint64) (string, wasi.Errno) {
	b, e := m.Slice(uint32(ptr), uint32(length))
	if e != wasi.Success {
		return "", e
	}
	if len(b) > maxName+1 {
		return "", wasi.ENAMETOOLONG
	}
	return string(bytes.TrimSuffix(b, []byte{0})), wasi.Success
}
