package network

import "net/netip"

// A Lister is a Network that lists the addresses of the host.
type Lister interface {
	// HostAddrs lists the addresses of the interfaces that are up, in the order of the interfaces'
	// indices.
	HostAddrs() ([]HostAddr, error)
}

// An Owner is a Network that recognizes the addresses of the host. Its method may be called from
// several goroutines.
type Owner interface {
	// Owns reports whether an address is one of the host's. The result may be a second old.
	Owns(netip.Addr) bool
}

// HostAddr is an address of an interface of the host.
type HostAddr struct {
	Name string
	// Index is the interface's index, from 1 (RFC 3493, section 4).
	Index uint32
	Flags InterfaceFlags
	// Prefix is the address without a zone, and the length of its network part in bits.
	Prefix netip.Prefix
}

// InterfaceFlags are the properties of an interface, see netdevice(7).
type InterfaceFlags uint32

const (
	InterfaceUp InterfaceFlags = 1 << iota
	InterfaceLoopback
	InterfaceMulticast
	InterfaceBroadcast
	InterfacePointToPoint
)
