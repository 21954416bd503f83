// Package network says what a network is to a guest: a thing that opens sockets and resolves names.
//
// It holds interfaces, the values they exchange and the errors they may return. It does no I/O and
// takes no decisions: the host's own sockets are in network/kernel, and permission is judged in
// network/guard, which is a Network around another Network. An embedder may bring a Network of
// their own (a proxy, an overlay, a test double) and compose it with those.
package network

import (
	"context"
	"net/netip"
	"time"
)

// A Network opens sockets and resolves names. All of its methods may be called from several
// goroutines.
type Network interface {
	// Open makes an unbound socket. Errors: syscall.EAFNOSUPPORT when the host has no such family,
	// syscall.EMFILE and syscall.ENFILE when there are too many, syscall.EACCES when it is not
	// allowed.
	Open(Family, Type) (Socket, error)

	Resolver
}

// A Resolver turns names into addresses and services into ports.
type Resolver interface {
	// LookupAddrs returns the addresses of a host name in the order in which they should be tried
	// (RFC 6724). An IPv4 address comes as such, never mapped into IPv6. The name is not an address
	// literal, and it is absolute, with or without a final dot: no search domain may be appended,
	// since this is the name that was judged. When ctx ends, the lookup ends and gives up its
	// connections. Failures are a *LookupError, or an error that wraps syscall.EACCES when the name
	// is not allowed.
	LookupAddrs(ctx context.Context, family Family, name string) ([]netip.Addr, error)

	// LookupPort returns the port of a service given by name. With AnyType the first of TCP and UDP
	// that has such a service answers.
	LookupPort(ctx context.Context, typ Type, service string) (uint16, error)
}

// Family is an address family.
type Family uint8

const (
	AnyFamily Family = iota // lookups only
	IPv4
	IPv6
)

func (f Family) String() string {
	return [...]string{"any", "ipv4", "ipv6"}[f]
}

// Type is a kind of socket.
type Type uint8

const (
	AnyType  Type = iota // lookups only
	Stream               // TCP
	Datagram             // UDP
)

func (t Type) String() string {
	return [...]string{"any", "tcp", "udp"}[t]
}

// A Socket is one socket of a Network.
//
// No method blocks but Wait. An operation that can make no progress now returns syscall.EAGAIN
// (Connect: syscall.EINPROGRESS), and the caller that wants to block waits and tries again; so
// time-outs, blocking mode and cancellation are decided in one place, above this interface.
//
// All errors are, or wrap, a syscall.Errno with its POSIX meaning, on every platform. After Close
// every method returns net.ErrClosed, and a Wait that is under way returns it too. All methods may
// be called from several goroutines at once.
//
// The life of a socket:
//
//	open       Bind → bound; Connect → connecting, or connected (datagrams at once); Listen → listening (streams)
//	bound      Connect, Listen as above; a second Bind is EINVAL
//	connecting FinishConnect → connected, or open with the reason as its error; Connect is EALREADY
//	connected  Send and Recv; Connect is EISCONN (streams), or connects anew (datagrams); Shutdown ends a direction
//	listening  Accept; Shutdown ends it and makes Accept EINVAL
//	closed     from every state, by Close
type Socket interface {
	Pollable

	Family() Family
	Type() Type

	// Bind gives the socket its local address. Port 0 lets the host choose.
	Bind(netip.AddrPort) error

	// Listen makes a stream socket accept connections; an unbound one gets an address of the host's
	// choice.
	Listen(backlog int) error

	// Accept takes the first waiting connection.
	Accept() (Socket, netip.AddrPort, error)

	// Connect starts a connection, or sets the address that a datagram socket talks to. EINPROGRESS
	// says that the socket will become Writable, and FinishConnect then tells the result.
	Connect(netip.AddrPort) error

	// FinishConnect completes a connection that Connect started: nil once it stands, EALREADY while
	// it is still under way, or the reason why it failed.
	FinishConnect() error

	// Send sends the bytes of bufs, in one piece and with one system call. A valid address is where
	// a datagram goes; on a stream it is ignored. Neither bufs nor what it points to is kept after
	// the call.
	Send(bufs [][]byte, to netip.AddrPort) (int, error)

	// Recv receives into bufs, in order. A result of 0 bytes is the end of a stream or an empty
	// datagram.
	Recv(bufs [][]byte, flags RecvFlags) (Received, error)

	// Shutdown ends one or both directions of a connection.
	Shutdown(How) error

	// LocalAddr is the address that the socket is bound to, or the unspecified address with port 0.
	LocalAddr() (netip.AddrPort, error)

	// RemoteAddr is the address of the peer; ENOTCONN without one.
	RemoteAddr() (netip.AddrPort, error)

	// Option reads an option, SetOption sets it; see Option for the units. ENOPROTOOPT or ENOTSUP
	// when the socket has no such option.
	Option(Option) (int64, error)
	SetOption(Option, int64) error

	// Join and Leave change the membership in a multicast group. The group's family must be the
	// socket's.
	Join(group netip.Addr, on Interface) error
	Leave(group netip.Addr, on Interface) error

	// Wait blocks until one of the events holds, and returns those that do; Hangup and Failed
	// always count. It returns os.ErrDeadlineExceeded at the deadline; the zero Time means for
	// ever.
	Wait(want Events, deadline time.Time) (Events, error)

	// Close releases the socket and wakes whoever waits for it.
	Close() error
}

// A Sharer is a Socket for datagrams that can share its address for multicast.
type Sharer interface {
	// BindShared is Bind, but for others that are bound in this way to the same address. Each gets
	// what is sent to the groups that it has joined, and the first of them what is sent to the
	// address itself.
	BindShared(netip.AddrPort) error
}

// A Disconnecter is a Socket that can release its peer.
type Disconnecter interface {
	// Disconnect makes a datagram socket have no peer, as before it was connected: an address and a
	// port that the host chose are given up where the host does that. EOPNOTSUPP on a stream.
	Disconnect() error
}

// Received is what Recv tells of the bytes it delivered.
type Received struct {
	N         int
	From      netip.AddrPort // the sender of a datagram, the peer of a stream
	Truncated bool           // the datagram was longer than the buffers; its rest is lost

	// Size is the length of the whole datagram in bytes. A Socket that does not know it leaves it
	// 0.
	Size int
}

// RecvFlags change what Recv does.
type RecvFlags uint8

const (
	Peek RecvFlags = 1 << iota // leave the data where it is
)

// How says which directions Shutdown ends.
type How uint8

const (
	ShutRead  How = 1
	ShutWrite How = 2
	ShutBoth  How = ShutRead | ShutWrite
)

// Interface names a network interface for multicast: an index, as IPv6 wants it, or an IPv4 address
// of the interface. The zero value leaves the choice to the host.
type Interface struct {
	Index uint32
	Addr  netip.Addr
}
