package guard

import (
	"sync/atomic"

	"github.com/wasport/wasport/policy"
)

// PerOp is a counter for each kind of request: PerOp[policy.OpConnect] counts connects.
type PerOp [policy.OpOpen + 1]uint64

// Counters count the calls of a guest, and the traffic and the sockets of its network.
type Counters struct {
	// Allowed and Denied count decisions. A datagram to or from one of the latest addresses of its
	// socket needs no new decision. A call that a limit refused is a denied one.
	Allowed, Denied PerOp

	// Limited is the number of calls that a limit refused. Denied counts them too.
	Limited uint64
	// OpenSockets is the number of sockets that are open now, or closed with data to send.
	OpenSockets int
	// SentBytes is the payload sent.
	SentBytes uint64
	// ReceivedBytes is the payload received or peeked at, each byte once. A datagram counts with
	// its whole length, and not at all if it was dropped.
	ReceivedBytes uint64
	// DroppedDatagrams is the number of datagrams from senders that were not admitted.
	DroppedDatagrams uint64
	// DroppedConnections is the number of connections from peers that were not admitted.
	DroppedConnections uint64
	// Lookups is the number of lookups that were passed on.
	Lookups uint64
	// FilteredAddrs is the number of addresses removed from the answers to lookups.
	FilteredAddrs uint64
}

// counters are the sources of Counters.
type counters struct {
	allowed, denied                [len(PerOp{})]atomic.Uint64
	limited                        atomic.Uint64
	openSockets                    atomic.Int64
	sentBytes, receivedBytes       atomic.Uint64
	droppedDatagrams, droppedConns atomic.Uint64
	lookups, filteredAddrs         atomic.Uint64
}

// Counters returns the present values. It may be called at any time, from any goroutine.
func (n *Network) Counters() Counters {
	c := &n.counters
	out := Counters{
		Limited:            c.limited.Load(),
		OpenSockets:        int(c.openSockets.Load()),
		SentBytes:          c.sentBytes.Load(),
		ReceivedBytes:      c.receivedBytes.Load(),
		DroppedDatagrams:   c.droppedDatagrams.Load(),
		DroppedConnections: c.droppedConns.Load(),
		Lookups:            c.lookups.Load(),
		FilteredAddrs:      c.filteredAddrs.Load(),
	}
	for op := range out.Allowed {
		out.Allowed[op], out.Denied[op] = c.allowed[op].Load(), c.denied[op].Load()
	}
	return out
}
