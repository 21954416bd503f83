// Package networktest tests implementations of package network.
//
// Test runs a suite over a Network: every state of a socket and the error of every call in it, the
// events that Poll reports and when waiters wake, half-close, resets, datagrams, options and
// groups. A Network that passes it can stand beneath a guest. The suite compares with the contract
// of package network alone. The promises of one implementation beyond that contract belong to its
// own tests.
//
// An implementation that lacks a part says so by name, in Options.Lacks:
//
//	func TestNetwork(t *testing.T) {
//		networktest.Test(t, mynetwork.New(), networktest.Options{
//			Lacks: []networktest.Feature{networktest.Multicast, networktest.Backlog},
//		})
//	}
//
// The rest of the contract has no name, so no implementation can lack it. Test needs no other host,
// and opens sockets of no other Network.
package networktest

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

// Options describe the Network under test. The zero value fits one like the kernel of Linux.
type Options struct {
	// Addrs are the addresses on which the sockets of the Network reach each other, one for each
	// family. Nil = 127.0.0.1 and ::1. A family without an address is not tested.
	Addrs []netip.Addr

	// Lacks names the parts of the contract that the Network does not have.
	Lacks []Feature

	// System names the system (GOOS) that the sockets are of, in which options begin with other
	// values than on Linux. Empty = linux.
	System string

	// Name is a host name that the Network resolves to NameAddrs, in any order. The empty name is
	// not looked up.
	Name      string
	NameAddrs []netip.Addr

	// Interface is the index of an interface on which groups can be joined, and with the address of
	// Addrs of its family. 0 = the interface that HostAddrs lists with that address.
	Interface uint32
}

// Feature is the name of a part of the contract that an implementation may lack.
type Feature string

const (
	// AddressInUse: a Bind to an address that another socket has is EADDRINUSE. One on an address
	// that the host does not have is EADDRNOTAVAIL.
	AddressInUse Feature = "address in use"
	// Backlog: a connection to a listener with a full queue stays under way.
	Backlog Feature = "backlog"
	// BoundStreams: a stream that is bound can connect from there.
	BoundStreams Feature = "bound streams"
	// Broadcast: a datagram to a broadcast address is EACCES without the option Broadcast.
	Broadcast Feature = "broadcast"
	// Datagrams: Open makes datagram sockets.
	Datagrams Feature = "datagrams"
	// Disconnect: a connected datagram socket can release its peer.
	Disconnect Feature = "disconnect"
	// DualStack: an IPv6 socket reaches IPv4 addresses, and is reached from them, unless V6Only is
	// set.
	DualStack Feature = "dual stack"
	// HalfClose: Shutdown ends one direction, and the other goes on.
	HalfClose Feature = "half-close"
	// Interfaces: the Network is a Lister.
	Interfaces Feature = "interfaces"
	// LingerReset: Close with the option Linger at 0 resets the connection, and so does a Close
	// with unread bytes.
	LingerReset Feature = "linger reset"
	// Multicast: Join and Leave, and datagrams to groups.
	Multicast Feature = "multicast"
	// OptionValues: every option reads back its value and refuses one out of range. Without
	// it, the suite still tries the options that every Network must have.
	OptionValues Feature = "option values"
	// OwnAddresses: the Network is an Owner.
	OwnAddresses Feature = "own addresses"
	// Peek: Recv with the flag Peek leaves the data in the queue.
	Peek Feature = "peek"
	// Reconnect: a stream can connect again after a failure.
	Reconnect Feature = "reconnect"
	// ShutdownRead: Shutdown of the receiving direction ends it after the bytes that came before.
	ShutdownRead Feature = "shutdown for reading"
	// ShutdownRefuses: a listener that Shutdown has ended refuses connections. Without it, they may
	// wait until the listener is closed.
	ShutdownRefuses Feature = "shutdown of a listener refuses"
	// StateErrnos: a call in a wrong state of the socket has the errno of Linux. Without it, the
	// call must fail, with any errno.
	StateErrnos Feature = "state errnos"
	// StateEvents: Poll reports in each state exactly the events that Linux does. Without it, those
	// that a caller waits for must hold.
	StateEvents Feature = "state events"
	// UnreachableDatagrams: a datagram to an unused port is an error of the connected sender.
	UnreachableDatagrams Feature = "unreachable datagrams"
)

// features are all names, which Lacks is compared with.
var features = []Feature{AddressInUse, Backlog, BoundStreams, Broadcast, Datagrams, Disconnect,
	DualStack, HalfClose, Interfaces, LingerReset, Multicast, OptionValues,
	OwnAddresses, Peek, Reconnect, ShutdownRead, ShutdownRefuses, StateErrnos, StateEvents,
	UnreachableDatagrams}

// A part is one test of the suite.
type part struct {
	name string
	// needs are the features without which the part is left out.
	needs []Feature
	run   func(env)
}

// Test runs the suite. The parts are subtests, so that -run selects some.
func Test(t *testing.T, n network.Network, o Options) {
	for _, f := range o.Lacks {
		if !slices.Contains(features, f) {
			t.Fatalf("got %q in Lacks, want names that this package defines", f)
		}
	}
	if o.Addrs == nil {
		o.Addrs = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	for _, p := range slices.Concat(stateParts, connectParts, streamParts, readinessParts,
		datagramParts, controlParts, optionParts, multicastParts) {
		t.Run(p.name, func(t *testing.T) { p.runEach(t, n, o) })
	}
	t.Run("lookup", func(t *testing.T) { testLookup(t, n, o) })
	t.Run("interfaces", func(t *testing.T) { testInterfaces(t, n, o) })
	t.Run("own addresses", func(t *testing.T) { testOwnAddresses(t, n, o) })
}

// runEach runs a part with each family.
func (p part) runEach(t *testing.T, n network.Network, o Options) {
	for _, f := range p.needs {
		if slices.Contains(o.Lacks, f) {
			t.Skipf("the network lacks %s", f)
		}
	}
	for _, a := range o.Addrs {
		e := env{network: n, options: o, family: network.IPv4, at: netip.AddrPortFrom(a, 0)}
		if a.Is6() {
			e.family = network.IPv6
		}
		t.Run(e.family.String(), func(t *testing.T) {
			e.T = t
			p.run(e)
		})
	}
}

// testTimeout bounds every wait for something that must happen.
const testTimeout = 10 * time.Second

func soon() time.Time { return time.Now().Add(testTimeout) }
