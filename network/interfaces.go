package network

import "net/netip"

// A Lister is a Network that can tell which addresses the host has.
type Lister interface {
	// HostAddrs lists the addresses of the interfaces that are up, those of one interface after
	// each other, lower indices first.
	HostAddrs() ([]HostAddr, error)
}

// An Owner is a Network that can tell which addresses lead to the host itself. Its method may be
// called from several goroutines.
type Owner interface {
	// Owns reports whether an address is one of the host's. It may answer by what held a second
	// ago.
	Owns(netip.Addr) bool
}

// HostAddr is an address of an interface of the host.
type HostAddr struct {
	Name   string
	Index  uint32 // 1 and up
	Flags  InterfaceFlags
	Prefix netip.Prefix // the address, without a zone, and the length of its network part
}

// InterfaceFlags say what an interface is.
type InterfaceFlags uint32

const (
	InterfaceUp InterfaceFlags = 1 << iota
	InterfaceLoopback
	InterfaceMulticast
	InterfaceBroadcast
	InterfacePointToPoint
)
