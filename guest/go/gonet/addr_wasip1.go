package gonet

import (
	"encoding/binary"
	"net"
	"net/netip"
	"unsafe"
)

// sockaddr is an address as it lies in memory: a kind, the address, the port. Source: docs/abi.md,
// "address".
type sockaddr [24]byte

const (
	familyIPv4 = 0
	familyIPv6 = 1
	familyAny  = 2 // in the hints of a lookup
)

func familyOf(a netip.Addr) int32 {
	if a.Is4() {
		return familyIPv4
	}
	return familyIPv6
}

func sockaddrOf(a netip.AddrPort) *sockaddr {
	s := new(sockaddr)
	if a.Addr().Is4() {
		ip := a.Addr().As4()
		copy(s[4:], ip[:])
		binary.LittleEndian.PutUint16(s[8:], a.Port())
		return s
	}
	s[0] = familyIPv6
	ip := a.Addr().As16()
	for i := 0; i < 16; i += 2 { // groups are little-endian numbers
		s[4+i], s[5+i] = ip[i+1], ip[i]
	}
	binary.LittleEndian.PutUint16(s[20:], a.Port())
	return s
}

func (s *sockaddr) addrPort() netip.AddrPort {
	if s[0] == familyIPv4 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(s[4:8])),
			binary.LittleEndian.Uint16(s[8:]))
	}
	var ip [16]byte
	for i := 0; i < 16; i += 2 {
		ip[i], ip[i+1] = s[5+i], s[4+i]
	}
	return netip.AddrPortFrom(netip.AddrFrom16(ip), binary.LittleEndian.Uint16(s[20:]))
}

func (s *sockaddr) pointer() unsafe.Pointer { return unsafe.Pointer(s) }

// queryAddr reads an address of a socket: the zero AddrPort if it has none.
func queryAddr(fd int32, query func(int32, unsafe.Pointer) uint32) netip.AddrPort {
	var s sockaddr
	if query(fd, s.pointer()) != 0 {
		return netip.AddrPort{}
	}
	return s.addrPort()
}

// netAddr makes the address type of package net for a network. An invalid address gives nil.
func netAddr(network string, a netip.AddrPort) net.Addr {
	switch {
	case !a.IsValid():
		return nil
	case isUDP(network):
		return net.UDPAddrFromAddrPort(unmapped(a))
	}
	return net.TCPAddrFromAddrPort(unmapped(a))
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// addrPortOf is the address in a net.Addr of this package's or package net's.
func addrPortOf(a net.Addr) (netip.AddrPort, bool) {
	switch a := a.(type) {
	case *net.TCPAddr:
		return unmapped(a.AddrPort()), a != nil
	case *net.UDPAddr:
		return unmapped(a.AddrPort()), a != nil
	}
	return netip.AddrPort{}, false
}
