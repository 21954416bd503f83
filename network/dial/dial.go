// Package dial is a Network of the functions that a program has for connections: those of package
// net, of a proxy, of an SSH client or of an overlay network.
//
//	n := dial.New(dial.Config{DialContext: client.DialContext}) // such as a *ssh.Client
//
// Streams and datagrams are those that the functions return. This package makes of them what guests
// expect of sockets: operations that do not block, readiness, states and errnos. Judging addresses
// belongs to network/guard, and proxies belong to this package only as far as a function for a
// connection through one ([Proxy]).
//
// A connection has a goroutine that reads ahead, as much as the receive buffer holds, and one that
// writes while there is something to write. A connection that is closed is written to its end, for
// lingerTimeout at most. The functions and the methods of their results are called on goroutines of
// this package or of the caller. If one of them panics, the next call of a method of the socket
// panics, so that the program gets the panic as that of the guest's.
//
// Locks: socket.mu protects the state of one socket. It is held while the functions of Notify are
// called, and never while code of the program is.
package dial

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// DialFunc connects to an address, HOST:PORT, as [net.Dialer.DialContext] does.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// Config has the functions, which may be called from several goroutines at once. Each may be nil: a
// Network without it lacks what it is for.
type Config struct {
	// DialContext connects a stream. network is "tcp". The host in address is the IP address to
	// which the guest connects or, if Resolve is nil, a name. ctx ends after two minutes, and when
	// the socket is closed. DialContext must return then: a guest that closes the socket may begin
	// another connect. Without DialContext a connect is ENETUNREACH.
	DialContext DialFunc

	// Listen listens for streams, as [net.Listen] does. network is "tcp4" or "tcp6". It is called
	// when a guest binds the socket, so peers may connect before the guest listens. Without Listen
	// a guest cannot listen: EOPNOTSUPP.
	Listen func(network, address string) (net.Listener, error)

	// ListenPacket opens a socket for datagrams, as [net.ListenPacket] does. network is "udp4" or
	// "udp6". Without it no datagram socket can be opened: EPROTONOSUPPORT.
	ListenPacket func(network, address string) (net.PacketConn, error)

	// Resolve looks a name up, as [net.Resolver.LookupNetIP] does. network is "ip", "ip4" or "ip6".
	// The name ends in a dot, since no search domain may be appended.
	//
	// Without it DialContext is given names, so that a proxy resolves them. Nobody here knows their
	// addresses then, so a policy judges such a connect by the name alone; see
	// [network.NameConnecter].
	Resolve func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Network is a Network of functions. Several guests and goroutines may use it.
type Network struct {
	config Config
	// services looks up the ports of services.
	services network.Resolver
}

var (
	_ network.Network        = (*Network)(nil)
	_ network.RemoteResolver = (*Network)(nil)
)

// New makes a Network of functions.
func New(c Config) *Network {
	return &Network{config: c, services: kernel.New(kernel.Config{})}
}

// Open makes an unbound socket.
func (n *Network) Open(family network.Family, typ network.Type) (network.Socket, error) {
	switch {
	case family != network.IPv4 && family != network.IPv6:
		return nil, syscall.EAFNOSUPPORT
	case typ == network.Stream:
		return newStream(n, family), nil
	case typ != network.Datagram:
		return nil, syscall.EINVAL
	case n.config.ListenPacket == nil:
		return nil, syscall.EPROTONOSUPPORT
	}
	return newDatagram(n, family), nil
}

// ResolvesRemotely reports whether DialContext is given names.
func (n *Network) ResolvesRemotely() bool { return n.config.Resolve == nil }

// LookupAddrs looks a name up by Config.Resolve.
func (n *Network) LookupAddrs(ctx context.Context, family network.Family,
	name string) ([]netip.Addr, error) {
	noSuchHost := &network.LookupError{Name: name, Failure: network.NoSuchHost}
	if n.config.Resolve == nil || family > network.IPv6 {
		return nil, noSuchHost
	}
	absolute := name
	if absolute == "" || absolute[len(absolute)-1] != '.' {
		absolute += "."
	}
	ipNetwork := [...]string{"ip", "ip4", "ip6"}[family]
	found, err := n.config.Resolve(ctx, ipNetwork, absolute)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, lookupError(name, err)
	}
	var addrs []netip.Addr
	for _, a := range found {
		a = a.Unmap()
		if a.IsValid() && (family == network.AnyFamily || a.Is4() == (family == network.IPv4)) {
			addrs = append(addrs, a)
		}
	}
	if addrs == nil {
		return nil, noSuchHost
	}
	return addrs, nil
}

// LookupPort looks a service up in the table of the host (services(5)).
func (n *Network) LookupPort(ctx context.Context, typ network.Type, service string) (uint16,
	error) {
	return n.services.LookupPort(ctx, typ, service)
}
