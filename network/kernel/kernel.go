// Package kernel implements package network with the sockets and the resolver of the host.
//
// It holds the calls into the operating system, one file per kind of system, and translates the
// differences between systems into the contract of network.Socket. It knows nothing of guests and
// judges no address: network/guard, the layer above, does that.
//
// Every method may be called from several goroutines. A socket is closed by the last of its users,
// so that no system call meets a descriptor number that was given to another file meanwhile
// (handle.go). The states of a socket are documented at connState (state.go).
//
// Locks, each for its own fields:
//
//	socket.connMu        conn and connectTo; held during connect(2) and its completion
//	rememberedOptions.mu the values of options; held for a map access and for setsockopt(2)
//	waiters.registerMu   held by the one Wait that registers the socket with Go's poller
//	waiter.sem           held by the one Wait that uses a direction of Go's poller
//	pollSets.mu          the poll sets in use; held during poll.Set.Wake and Close
//	hostAddrCache.mu     the host's own addresses; held while they are listed
//
// Lock order: pollSets.mu comes before the locks of internal/poll. No other lock is taken while one
// of these is held, and none is held while a call of this package blocks, except waiter.sem, which
// waits in Go's poller.
package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/network"
)

// Config says how names are resolved. The zero value asks the host's own resolver. Every name is
// taken as absolute, from every source.
type Config struct {
	// Server is the DNS server to ask instead of the host's, as "HOST:PORT".
	Server string

	// Hosts holds names with known addresses. They come before every other source. The case of a
	// name and a final dot do not matter.
	Hosts map[string][]netip.Addr

	// Without names optimisations to do without, as wasport.Config.Without does. With a name that
	// does not exist, none is used.
	Without []string
}

// Network opens sockets of the host's kernel. Several goroutines may use it.
type Network struct {
	resolver
	hostAddrs hostAddrCache
	shortcuts shortcut.Set
}

var _ network.Network = (*Network)(nil)

// New returns the network of the host.
func New(c Config) *Network {
	taken, _ := shortcut.Except(c.Without) // none, with an error
	return &Network{resolver: newResolver(c), shortcuts: taken}
}

// Open makes an unbound socket. Unix-domain streams exist on Linux only.
func (n *Network) Open(family network.Family, typ network.Type) (network.Socket, error) {
	switch {
	case family == network.Unix:
		return openUnix(typ)
	case family != network.IPv4 && family != network.IPv6:
		return nil, syscall.EAFNOSUPPORT
	case typ != network.Stream && typ != network.Datagram:
		return nil, syscall.EINVAL
	}
	return n.open(family, typ)
}

// Adopt makes a socket of a listener, a connection or a packet connection that the program already
// has, such as a *net.TCPListener, a *net.UDPConn or, except on Windows, a *net.UnixListener. Each
// of the two has its own descriptor and must be closed. To the kernel they are one socket, so
// neither should read while the other does.
//
// The kernel keeps one mode and one set of options for the two. Adopt therefore sets both to
// non-blocking mode, and lets them receive only from multicast groups that one of them has joined
// (on Linux it turns IP_MULTICAST_ALL off, see ip(7)).
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
	s.shared = s.typ != network.Stream || s.state() != stateConnected
	if s.typ == network.Datagram {
		joinedGroupsOnly(s.fd, s.family)
	}
	return s, nil
}

// zoneIndex returns the index of the interface that a zone names, by number or by name.
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
