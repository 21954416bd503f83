package wasi2

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/network"
)

// Addresses as values: the groups of an IPv6 address are numbers, the zone is the interface's index
// as scope-id, and flow-info is ignored and 0.

func addrPortOf(v canon.Value) netip.AddrPort {
	f := v.Payload().Items()
	port := uint16(f[0].Uint())
	if v.Case() == 0 {
		var a [4]byte
		for i, b := range f[1].Items() {
			a[i] = byte(b.Uint())
		}
		return netip.AddrPortFrom(netip.AddrFrom4(a), port)
	}
	var a [16]byte
	for i, group := range f[2].Items() {
		binary.BigEndian.PutUint16(a[2*i:], uint16(group.Uint()))
	}
	return netip.AddrPortFrom(withScope(netip.AddrFrom16(a), uint32(f[3].Uint())), port)
}

func addrPortValue(a netip.AddrPort) canon.Value {
	port, addr := canon.Uint(uint64(a.Port())), tupleOf(a.Addr())
	if a.Addr().Is4() {
		return canon.CaseOf(0, canon.Tuple(port, addr))
	}
	scope := canon.Uint(uint64(scopeOf(a.Addr())))
	return canon.CaseOf(1, canon.Tuple(port, canon.Uint(0), addr, scope))
}

// addrValue makes an ip-address.
func addrValue(a netip.Addr) canon.Value {
	if a.Is4() {
		return canon.CaseOf(0, tupleOf(a))
	}
	return canon.CaseOf(1, tupleOf(a))
}

// tupleOf makes an ipv4-address or ipv6-address.
func tupleOf(a netip.Addr) canon.Value {
	var parts []canon.Value
	if a.Is4() {
		for _, b := range a.As4() {
			parts = append(parts, canon.Uint(uint64(b)))
		}
		return canon.Tuple(parts...)
	}
	b := a.As16()
	for i := 0; i < len(b); i += 2 {
		parts = append(parts, canon.Uint(uint64(binary.BigEndian.Uint16(b[i:]))))
	}
	return canon.Tuple(parts...)
}

func withScope(a netip.Addr, scope uint32) netip.Addr {
	if scope == 0 {
		return a
	}
	return a.WithZone(strconv.FormatUint(uint64(scope), 10))
}

// scopeOf returns the number of a zone; network/kernel spells zones as numbers.
func scopeOf(a netip.Addr) uint32 {
	if a.Zone() == "" { // the error of ParseUint would be an allocation
		return 0
	}
	n, _ := strconv.ParseUint(a.Zone(), 10, 32)
	return uint32(n)
}

func familyOf(v canon.Value) network.Family {
	return [...]network.Family{network.IPv4, network.IPv6}[v.Case()]
}

func familyValue(f network.Family) canon.Value {
	if f == network.IPv6 {
		return canon.Case(1)
	}
	return canon.Case(0)
}

// isOfFamily reports whether a socket of a family can have an address. An IPv4-mapped address is of
// no family, since sockets of WASI 0.2 have only one (network.wit, ip-address-family).
func isOfFamily(a netip.Addr, f network.Family) bool {
	return (f == network.IPv4) == a.Is4() && !a.Is4In6()
}

// isUnicast reports whether a stream can have an address at one of its ends.
func isUnicast(a netip.Addr) bool {
	return !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// isDestination reports whether an address says where to go. Systems replace an unspecified one by
// an address of their own.
func isDestination(a netip.AddrPort) bool { return !a.Addr().IsUnspecified() && a.Port() != 0 }

// An ip-socket-address in memory: the case, then from offset 4 the record of IPv4 (port, address)
// or of IPv6 (port, flow-info, address, scope-id). A test compares the offsets with the layout of
// the type.
const (
	addrPortSize  = 32
	addrPortAlign = 4
)

// getAddrPort reads an ip-socket-address from memory.
func getAddrPort(b []byte) (netip.AddrPort, error) {
	switch port := le.Uint16(b[4:]); b[0] {
	case 0:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[6:10])), port), nil
	case 1:
		var a [16]byte
		for i := 0; i < len(a); i += 2 {
			a[i], a[i+1] = b[12+i+1], b[12+i]
		}
		addr := withScope(netip.AddrFrom16(a), le.Uint32(b[28:]))
		return netip.AddrPortFrom(addr, port), nil
	}
	return netip.AddrPort{}, trapf("%d is no case of ip-socket-address", b[0])
}

// putAddrPort writes an ip-socket-address to memory.
func putAddrPort(b []byte, a netip.AddrPort) {
	clear(b[:addrPortSize])
	le.PutUint16(b[4:], a.Port())
	if a.Addr().Is4() {
		addr := a.Addr().As4()
		copy(b[6:], addr[:])
		return
	}
	b[0] = 1
	addr := a.Addr().As16()
	for i := 0; i < len(addr); i += 2 {
		b[12+i], b[12+i+1] = addr[i+1], addr[i]
	}
	le.PutUint32(b[28:], scopeOf(a.Addr()))
}
