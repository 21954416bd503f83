package guard

import (
	"sync/atomic"

	"github.com/wasport/wasport/policy"
)

// PerOp counts something for each kind of request: PerOp[policy.OpConnect] is about connects.
type PerOp [policy.OpAlter + 1]uint64

// Counters tell what a guest has done on the network so far.
type Counters struct {
	// Allowed and Denied count decisions. A datagram that goes to, or comes from, one of the latest
	// addresses of its socket needs no new one.
	Allowed, Denied PerOp

	Limited     uint64 // calls that a limit refused
	OpenSockets int    // now
	SentBytes   uint64 // of payload
	// of payload received or peeked at, once each; datagrams whole. Not what was dropped
	ReceivedBytes      uint64
	DroppedDatagrams   uint64 // of strangers
	DroppedConnections uint64 // of strangers
	Lookups            uint64 // that were made
	FilteredAddrs      uint64 // addresses that were taken out of the answers to lookups
}

type counters struct {
	allowed, denied     [len(PerOp{})]atomic.Uint64
	limited             atomic.Uint64
	open                atomic.Int64
	sent, received      atomic.Uint64
	datagrams, accepted atomic.Uint64 // that were dropped
	lookups, filtered   atomic.Uint64
}

// Counters returns what has been counted. It may be called at any time, from any goroutine.
func (n *Network) Counters() Counters {
	c := &n.counters
	out := Counters{
		Limited:            c.limited.Load(),
		OpenSockets:        int(c.open.Load()),
		SentBytes:          c.sent.Load(),
		ReceivedBytes:      c.received.Load(),
		DroppedDatagrams:   c.datagrams.Load(),
		DroppedConnections: c.accepted.Load(),
		Lookups:            c.lookups.Load(),
		FilteredAddrs:      c.filtered.Load(),
	}
	for op := range out.Allowed {
		out.Allowed[op], out.Denied[op] = c.allowed[op].Load(), c.denied[op].Load()
	}
	return out
}
