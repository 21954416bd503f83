package abi

import (
	"encoding/binary"
	"net/netip"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// Flags in the hints of sock_getaddrinfo. The other flags have no effect.
const (
	edgePassive     = 1
	edgeNumericHost = 4
	edgeNumericServ = 8
)

const (
	// maxEdgeResults bounds how many entries of a guest's list are read. No lookup has more
	// results.
	maxEdgeResults = 1024

	// edgeShortData is the length that the Rust crate wasmedge_wasi_socket gives for a buffer of
	// edgeLongData bytes.
	edgeShortData = 14
	edgeLongData  = 26
)

// edgeEntry is an entry of the guest's list: views of the memory that a result is written to.
type edgeEntry struct {
	info, sockaddr, data []byte

	// keepLength is true if the length of data is edgeShortData, which must not be overwritten.
	keepLength bool
}

// edgeAddrInfo implements sock_getaddrinfo(node, length, service, length, hints, list, capacity,
// out count). The guest passes a linked list of entries and has allocated the structures that they
// point to. All of them are checked before the lookup.
func edgeAddrInfo(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	node, e := edgeString(m, a[0], a[1])
	if e != wasi.Success {
		return e
	}
	service, e := edgeString(m, a[2], a[3])
	if e != wasi.Success {
		return e
	}
	var hints wasi.EdgeAddrInfo
	raw, e := sliceOrNil(m, a[4], wasi.SizeEdgeAddrInfo)
	if e != wasi.Success {
		return e
	}
	if raw != nil {
		hints = wasi.GetEdgeAddrInfo(append(make([]byte, 0, wasi.SizeEdgeAddrInfo), raw...))
	}
	if e := m.Check(uint32(a[7]), 4); e != wasi.Success {
		return e
	}
	list, e := edgeList(m, uint32(a[5]), uint32(a[6]))
	if e != wasi.Success {
		return e
	}
	if uint32(a[6]) == 0 || node == "" && service == "" {
		return wasi.EINVAL
	}
	found, e := c.edgeResolve(node, service, hints)
	if e != wasi.Success {
		return e
	}
	found = found[:min(len(found), len(list))]
	for i, r := range found {
		if len(list[i].data) < edgeDataSize(r.Addr.Addr()) {
			return wasi.EFAULT
		}
	}
	for i, r := range found {
		list[i].put(r, hints.Protocol)
	}
	return m.PutUint32(uint32(a[7]), uint32(len(found)))
}

// edgeList checks the list at a pointer to a pointer. It stops at the end of the list or after
// capacity entries, so that a list with a cycle ends too.
func edgeList(m wasi.MemoryView, ptr, capacity uint32) ([]edgeEntry, wasi.Errno) {
	next, e := m.Uint32(ptr)
	if e != wasi.Success {
		return nil, e
	}
	if uint64(capacity)*wasi.SizeEdgeAddrInfo > uint64(len(m)) {
		return nil, wasi.EFAULT
	}
	var list []edgeEntry
	for next != 0 && len(list) < int(min(capacity, maxEdgeResults)) {
		var entry edgeEntry
		if entry, next, e = edgeEntryAt(m, next); e != wasi.Success {
			return nil, e
		}
		list = append(list, entry)
	}
	return list, wasi.Success
}

func edgeEntryAt(m wasi.MemoryView, ptr uint32) (entry edgeEntry, next uint32, e wasi.Errno) {
	if entry.info, e = m.Slice(ptr, wasi.SizeEdgeAddrInfo); e != wasi.Success {
		return entry, 0, e
	}
	info := wasi.GetEdgeAddrInfo(append(make([]byte, 0, wasi.SizeEdgeAddrInfo), entry.info...))
	if entry.sockaddr, e = m.Slice(info.Sockaddr, wasi.SizeEdgeSockaddr); e != wasi.Success {
		return entry, 0, e
	}
	copied := append(make([]byte, 0, wasi.SizeEdgeSockaddr), entry.sockaddr...)
	length := binary.LittleEndian.Uint32(copied[4:])
	if entry.keepLength = length == edgeShortData; entry.keepLength {
		length = edgeLongData
	}
	entry.data, e = m.Slice(binary.LittleEndian.Uint32(copied[8:]), length)
	return entry, info.Next, e
}

// edgeResolve looks up a host and a service as getaddrinfo(3) does. Without a type each address is
// returned once, as a stream.
func (c *Caller) edgeResolve(node, service string,
	hints wasi.EdgeAddrInfo) ([]system.AddrInfo, wasi.Errno) {
	family, typ, e := edgeDecodeHints(hints)
	if e != wasi.Success {
		return nil, e
	}
	if hints.Flags&edgeNumericServ != 0 && !isNumber(service) {
		return nil, wasi.EINVAL
	}
	hosts := []string{node}
	if node == "" {
		hosts = edgeDefaultHosts(family, hints.Flags&edgePassive != 0)
	} else if _, err := netip.ParseAddr(node); err != nil && hints.Flags&edgeNumericHost != 0 {
		return nil, wasi.EINVAL
	}
	var found []system.AddrInfo
	for _, host := range hosts {
		some, err := c.Resolve(host, service, family, typ)
		if err != nil {
			return nil, wasi.ErrnoOf(err)
		}
		for _, r := range some {
			if typ != network.AnyType || r.Type == network.Stream {
				found = append(found, r)
			}
		}
	}
	return found, wasi.Success
}

func edgeDecodeHints(hints wasi.EdgeAddrInfo) (network.Family, network.Type, wasi.Errno) {
	if hints.Family == wasi.EdgeFamilyUnix {
		return 0, 0, wasi.ENOTSUP
	}
	family, known := edgeFamilies[uint32(hints.Family)]
	if !known && hints.Family != wasi.EdgeFamilyUnspec || hints.Protocol > wasi.EdgeProtocolUDP {
		return 0, 0, wasi.EINVAL
	}
	typ, known := edgeTypes[uint32(hints.Type)]
	switch {
	case !known && hints.Type != wasi.EdgeTypeAny:
		return 0, 0, wasi.EINVAL
	case !known && hints.Protocol == wasi.EdgeProtocolUDP:
		typ = network.Datagram
	case !known && hints.Protocol == wasi.EdgeProtocolTCP:
		typ = network.Stream
	}
	return family, typ, wasi.Success
}

// edgeDefaultHosts returns the addresses for a lookup without a host: the wildcard addresses, or
// the loopback addresses (POSIX, freeaddrinfo, AI_PASSIVE).
func edgeDefaultHosts(family network.Family, passive bool) []string {
	v4, v6 := "127.0.0.1", "::1"
	if passive {
		v4, v6 = "0.0.0.0", "::"
	}
	switch family {
	case network.IPv4:
		return []string{v4}
	case network.IPv6:
		return []string{v6}
	}
	return []string{v4, v6}
}

func isNumber(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// edgeDataSize returns the size of an address's data: a port and the address.
func edgeDataSize(a netip.Addr) int { return 2 + a.BitLen()/8 }

// put writes a result. The port is in network byte order, unlike all other ports of this dialect.
func (e *edgeEntry) put(r system.AddrInfo, protocol uint8) {
	ip := r.Addr.Addr()
	family := uint8(wasi.EdgeFamily(ip))
	typ := uint8(wasi.EdgeTypeStream)
	if r.Type == network.Datagram {
		typ = wasi.EdgeTypeDgram
	}
	if protocol == wasi.EdgeProtocolAny {
		protocol = wasi.EdgeProtocolTCP
		if r.Type == network.Datagram {
			protocol = wasi.EdgeProtocolUDP
		}
	}
	wasi.EdgeAddrInfo{Family: family, Type: typ, Protocol: protocol}.PutResult(e.info)
	e.sockaddr[0] = family
	if !e.keepLength {
		binary.LittleEndian.PutUint32(e.sockaddr[4:], uint32(edgeDataSize(ip)))
	}
	binary.BigEndian.PutUint16(e.data, r.Addr.Port())
	copy(e.data[2:], ip.AsSlice())
}
