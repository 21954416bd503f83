// Package kernel is the network of the host: its own sockets, and its resolver.
//
// It holds what talks to the operating system, in one file per kind of system, and translates what
// systems do differently into what network.Socket says. It knows nothing of guests and judges
// nothing: whoever must not reach an address is kept from it by the layer above.
package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// Config says where names are looked up, as absolute ones in any case. The zero value is the host's
// own resolver.
type Config struct {
	// Server is the DNS server to ask instead of the host's, as "HOST:PORT".
	Server string

	// Hosts are names whose addresses are known. They come before every other source, whatever
	// their case, with or without a final dot.
	Hosts map[string][]netip.Addr
}

// Network opens sockets of the host's kernel. It may be used by several goroutines.
type Network struct {
	resolver
	own own
}

var _ network.Network = (*Network)(nil)

// New returns the network of the host.
func New(c Config) *Network {
	return &Network{resolver: newResolver(c)}
}

// Open makes an unbound socket.
func (*Network) Open(family network.Family, typ network.Type) (network.Socket, error) {
	if family != network.IPv4 && family != network.IPv6 {
		return nil, syscall.EAFNOSUPPORT
	}
	if typ != network.Stream && typ != network.Datagram {
		return nil, syscall.EINVAL
	}
	return open(family, typ)
}

// Adopt makes a socket of a listener, a connection or a packet connection that the program already
// has, such as a *net.TCPListener or a *net.UDPConn. The two are independent from then on, except
// that they are the same socket to the kernel: each must be closed, and neither should read what
// the other waits for.
//
// The kernel has one mode and one set of options for the two. So both are in non-blocking mode, and
// hear no multicast groups but those that one of them has joined (on Linux, IP_MULTICAST_ALL is
// off).
func Adopt(c syscall.Conn) (network.Socket, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("adopt a socket: %w", err)
	}
	var s *socket
	var failed error
	if err := raw.Control(func(fd uintptr) { s, failed = adopt(fd) }); err != nil {
		return nil, fmt.Errorf("adopt a socket: %w", err)
	}
	if failed != nil {
		return nil, fmt.Errorf("adopt a socket: %w", failed)
	}
	s.mayLinger.Store(true)
	s.mayReset.Store(true)
	s.shared = !s.connected
	if s.typ == network.Datagram {
		ownGroupsOnly(s.fd, s.family)
	}
	return s, nil
}

// zoneIndex is the interface that a zone names, by number or by name.
func zoneIndex(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, ok := parseIndex(zone); ok {
		return n, nil
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("zone %s: %w", zone, syscall.ENODEV)
	}
	return uint32(i.Index), nil
}
