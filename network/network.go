// Package network defines a network as guests see it: it opens sockets and resolves names.
//
// It holds interfaces, the values they exchange and their errors. It makes no system call and takes
// no decision: network/kernel implements a Network with the sockets of the host, and network/guard
// wraps any Network in a policy. An embedder may write another Network, such as a proxy, an overlay
// or a test double, and compose it with these two.
//
// Pollable has the loop that every caller of a socket needs, and Readiness.Notify an example for a
// Network without descriptors of the operating system. network/networktest tests a Network of one's
// own against all that is said here.
//
// # Writing a Network
//
// Of the interfaces in this package, Network, Socket and Pollable are enough for a guest that
// connects, serves, sends datagrams and looks names up. The others are asked for by type assertion,
// and without them:
//
//   - Lister: the guest sees no interfaces, so it can name none for multicast, and use no zone in
//     an address.
//   - Owner: the guard cannot tell a public address of the host from others, so a rule for the
//     internet covers it.
//   - Buffered: the guard neither limits nor charges the memory of the sockets' queues. The Network
//     must bound them itself.
//   - MemoryCharger: pipes and pairs of sockets that a guest makes for itself have a limit of their
//     own.
//   - UnixSocket: there are no Unix-domain sockets with paths, and Open need not know the family.
//   - Disconnecter: connect(2) with AF_UNSPEC is EOPNOTSUPP.
//   - Controller: datagrams have no control messages, and the options that ask for them are
//     refused.
//   - RecordResolver: guests look up addresses alone.
//   - Sharer: a datagram socket cannot share its port for multicast beside another program's.
//
// A method that a Network does not support returns an errno and has no effect: EOPNOTSUPP for Join,
// Leave and a Shutdown of one direction, EAFNOSUPPORT or EPROTONOSUPPORT for a family or a type in
// Open.
package network

import (
	"context"
	"net/netip"
	"time"
)

// A Network opens sockets and resolves names. All methods may be called from several goroutines.
type Network interface {
	// Open makes an unbound socket. Errors: syscall.EAFNOSUPPORT if the host does not support the
	// family, syscall.EMFILE or syscall.ENFILE if too many files are open, and syscall.EACCES if
	// the policy denies it.
	Open(Family, Type) (Socket, error)

	Resolver
}

// A Resolver translates names into addresses, and services into ports.
type Resolver interface {
	// LookupAddrs returns the addresses of a host name in the order in which a caller should try
	// them (RFC 6724). An IPv4 address is returned as such, never IPv4-mapped. The name is not an
	// address literal. It is absolute, with or without a final dot: no search domain may be
	// appended, since the policy has judged this name. When ctx ends, the lookup ends and closes
	// its connections. A failure is a *LookupError, or wraps syscall.EACCES if the policy denies
	// the name.
	LookupAddrs(ctx context.Context, family Family, name string) ([]netip.Addr, error)

	// LookupPort returns the port of a named service (services(5)). AnyType asks for TCP and then
	// for UDP.
	LookupPort(ctx context.Context, typ Type, service string) (uint16, error)
}

// A TTLResolver is a Network that knows how long its answers hold. A wasport.Config uses that of a
// *kernel.Network only. A type that embeds one has its LookupAddrsTTL too, which would bypass the
// type's own LookupAddrs.
type TTLResolver interface {
	// LookupAddrsTTL is LookupAddrs, and also returns how long the answer may be given again to the
	// same question, counted from the beginning of the call. With 0 it must not be given again.
	LookupAddrsTTL(ctx context.Context, family Family, name string) ([]netip.Addr, time.Duration,
		error)
}

// A RecordResolver is a Network that looks up other records of the DNS than addresses.
type RecordResolver interface {
	// LookupRecords asks for the records of a type and of class IN at a name, which is as in
	// LookupAddrs. It returns a reply (RFC 1035, section 4.1) with the question, the answers of the
	// type and the aliases that led to them. Its response code is 0, or 3 for a name that does not
	// exist. It has at most 65535 bytes. A type that cannot be looked up is EOPNOTSUPP; A and AAAA
	// are among these, since addresses are the answers of LookupAddrs alone. Other errors are those
	// of LookupAddrs.
	LookupRecords(ctx context.Context, name string, typ uint16) ([]byte, error)
}

// A RemoteResolver is a Network whose streams reach other hosts through a proxy that resolves
// names. Nobody on this side knows the addresses of a name, so LookupAddrs has no answer. Package
// network/guard answers lookups itself: with an address that stands for the name.
type RemoteResolver interface {
	// ResolvesRemotely reports whether this is such a Network. The streams of one that is are
	// NameConnecters.
	ResolvesRemotely() bool
}

// A NameConnecter is a stream Socket that connects to a name, which the other side resolves.
type NameConnecter interface {
	// ConnectName is Connect to the port of an address, at the host with a name. The name is
	// absolute and has no final dot. The address stands for the host: RemoteAddr returns it.
	ConnectName(name string, as netip.AddrPort) error
}

// Family is an address family.
type Family uint8

const (
	// AnyFamily is valid for lookups only.
	AnyFamily Family = iota
	IPv4
	IPv6
	// Unix is that of Unix-domain streams (unix(7)). A Network that opens them opens UnixSockets.
	// LocalAddr and RemoteAddr return the unspecified address of IPv4 with port 0, since the paths
	// are the host's; Bind and Connect return EINVAL.
	Unix
)

func (f Family) String() string {
	return [...]string{"any", "ipv4", "ipv6", "unix"}[f]
}

// Type is a kind of socket.
type Type uint8

const (
	// AnyType is valid for lookups only.
	AnyType Type = iota
	// Stream is TCP.
	Stream
	// Datagram is UDP.
	Datagram
)

func (t Type) String() string {
	return [...]string{"any", "tcp", "udp"}[t]
}

// A Socket is one socket of a Network.
//
// Only Wait blocks. An operation that cannot proceed returns syscall.EAGAIN (Connect:
// syscall.EINPROGRESS). The caller that wants to block waits and tries again, as in the loop at
// Pollable. So timeouts, blocking mode and cancellation are decided in one place, above this
// interface.
//
// Every error is or wraps a syscall.Errno with its POSIX meaning, on every platform. Those by which
// a caller decides how to go on are returned as they are, never wrapped: syscall.EAGAIN,
// syscall.EINPROGRESS, syscall.EALREADY, net.ErrClosed and os.ErrDeadlineExceeded. After Close,
// every method returns net.ErrClosed, and so does a Wait under way. All methods may be called from
// several goroutines at once.
//
// The states of a socket, and the calls that lead out of each:
//
//	open       Bind → bound; Listen → listening (streams);
//	           Connect → connecting, or connected at once (datagrams)
//	bound      Listen and Connect as in open; a second Bind is EINVAL
//	connecting FinishConnect → connected, or back to open or bound with the failure as its error;
//	           Connect is EALREADY, and once the result is there, it is FinishConnect
//	connected  Send and Recv; Shutdown ends a direction;
//	           Connect is EISCONN (streams) or sets another peer (datagrams)
//	listening  Accept; Shutdown ends it, after which Accept is EINVAL
//	closed     reached from every state by Close
//
// Poll says of a stream in each state, if everything is asked for:
//
//	open, bound             Writable, Hangup
//	connecting              nothing
//	connection failed       all, until the error is told; then all but Failed
//	listening               Readable if Accept has a connection, otherwise nothing
//	connected               Writable if Send takes a byte;
//	                        Readable if there are bytes, at the end, and after ShutRead;
//	                        Hangup as well if both directions have ended
//	reset by the peer       all, until the error is told; then all but Failed
//
// A datagram socket is Writable, Readable if a datagram is queued or after ShutRead, and Failed
// while an error is pending.
//
// The errors of a call in the wrong state are:
//
//	Send      EPIPE on a stream without a connection or after ShutWrite, EAGAIN while it connects;
//	          EDESTADDRREQ on a datagram socket without a peer, if no address is given
//	Recv      ENOTCONN on a stream without a connection, EAGAIN while it connects
//	Accept    EINVAL if the stream does not listen, EOPNOTSUPP on a datagram socket
//	Listen    EINVAL if connecting or connected, EOPNOTSUPP on a datagram socket
//	Shutdown  ENOTCONN without a connection or peer
type Socket interface {
	Pollable

	Family() Family
	Type() Type

	// Bind sets the local address. The host chooses the port if it is 0.
	Bind(netip.AddrPort) error

	// Listen makes a stream socket accept connections. The host chooses an address for an unbound
	// socket. The host may lower the backlog (listen(2), somaxconn).
	Listen(backlog int) error

	// Accept returns the first connection in the queue, and the address of its peer.
	Accept() (Socket, netip.AddrPort, error)

	// Connect starts a connection, or sets the peer of a datagram socket. A stream may be connected
	// at once: the result is then nil. After EINPROGRESS, the socket becomes Writable when the
	// connection is established or has failed, and FinishConnect returns the result.
	Connect(netip.AddrPort) error

	// FinishConnect returns the result of a connection that Connect started: nil if it is
	// established, EALREADY if it is still under way, and otherwise the reason of the failure.
	FinishConnect() error

	// Send sends the bytes of bufs with one system call, those of a datagram in one piece, and
	// returns their number. A valid address is the destination of a datagram; a stream ignores it.
	// Send keeps neither bufs nor the memory that it points to.
	Send(bufs [][]byte, to netip.AddrPort) (int, error)

	// Recv receives into bufs, in order. A result of 0 bytes is the end of a stream or an empty
	// datagram.
	Recv(bufs [][]byte, flags RecvFlags) (Received, error)

	// Shutdown ends one or both directions of a connection.
	Shutdown(How) error

	// LocalAddr returns the local address. That of an unbound socket is unspecified, with port 0.
	LocalAddr() (netip.AddrPort, error)

	// RemoteAddr returns the address of the peer, or ENOTCONN if there is none.
	RemoteAddr() (netip.AddrPort, error)

	// Option reads an option and SetOption sets it. The constants of type Option give the units.
	// Errors: ENOPROTOOPT or ENOTSUP if the socket does not have the option, EINVAL if it cannot
	// have the value. The type Option tells which options a socket must have.
	Option(Option) (int64, error)
	SetOption(Option, int64) error

	// Join and Leave change the membership in a multicast group of the socket's family.
	Join(group netip.Addr, on Interface) error
	Leave(group netip.Addr, on Interface) error

	// Wait blocks until one of the wanted events, Hangup or Failed holds, and returns those that
	// hold. It returns os.ErrDeadlineExceeded at the deadline. The zero Time is no deadline.
	Wait(want Events, deadline time.Time) (Events, error)

	// Close releases the socket and ends every Wait on it.
	Close() error
}

// A Sharer is a datagram Socket that can share its address for multicast.
type Sharer interface {
	// BindShared is a Bind that allows others of its kind to the same address. Each of the sockets
	// receives the datagrams to the groups that it joined. Only the first receives datagrams to the
	// address itself.
	BindShared(netip.AddrPort) error
}

// A Disconnecter is a Socket that can release its peer. Guests get EOPNOTSUPP for one that cannot.
type Disconnecter interface {
	// Disconnect makes a datagram socket unconnected again. Datagrams that are queued stay. A local
	// address or port that the host chose is released if the host does so, as Linux does; a Bind to
	// the address gets it back. It returns EOPNOTSUPP on a stream.
	Disconnect() error
}

// A Checker is a Network that tells beforehand what it would refuse. Guests of WASI 0.2 ask, since
// that has sockets and lookups fail at once. A Network without these methods refuses nothing.
type Checker interface {
	// CheckOpen returns the error, which wraps syscall.EACCES, if every use of a socket of the type
	// would be refused.
	CheckOpen(Type) error

	// CheckLookup returns the error, which wraps syscall.EACCES, with which LookupAddrs would
	// refuse the name, and syscall.EINVAL for a text that is no name. It looks nothing up.
	CheckLookup(name string) error
}

// Received describes the bytes that Recv delivered.
type Received struct {
	// N is the number of bytes in the buffers.
	N int
	// From is the sender of a datagram, or the peer of a stream.
	From netip.AddrPort
	// Truncated tells that the datagram was longer than the buffers. Its rest is lost.
	Truncated bool

	// Size is the length of the whole datagram in bytes, or 0 if the Socket does not know it.
	Size int
}

// RecvFlags modify Recv.
type RecvFlags uint8

const (
	// Peek leaves the data in the queue (recv(2), MSG_PEEK).
	Peek RecvFlags = 1 << iota
)

// How selects the directions that Shutdown ends.
type How uint8

const (
	ShutRead  How = 1
	ShutWrite How = 2
	ShutBoth  How = ShutRead | ShutWrite
)

// Interface names a network interface for multicast: by its index, as IPv6 does, or by one of its
// IPv4 addresses. The host chooses if it is the zero value.
type Interface struct {
	Index uint32
	Addr  netip.Addr
}
