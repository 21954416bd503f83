// Package sendbehind defines how a socket holds small sends back, to hand several of them to the
// kernel in one system call.
//
// Belongs here: the interface between internal/system, which knows when a guest could notice,
// network/guard, which judges and counts each send, and network/kernel, which holds the bytes. Does
// not belong here: any of the three.
package sendbehind

import (
	"net/netip"
	"time"
)

// Socket is a socket of a network that can hold sends. Several goroutines may call its methods. Any
// other call that sends, ends a direction or closes the socket flushes first, so that the order of
// the socket's bytes and datagrams is kept.
type Socket interface {
	// Hold takes a send whole, if its success is certain: the peer could be sent the same a moment
	// ago, and the kernel has room. It returns Refused, without an effect, for any other.
	Hold(bufs [][]byte, to netip.AddrPort) Result

	// Flush sends all that is held. EAGAIN tells that a part stays. Any other error is one that the
	// kernel has found after the sends were accepted; nothing is held then.
	Flush() error

	// HeldSince returns the time of the first send that is held, by package monotonic.
	HeldSince() (at time.Duration, held bool)
}

// Result is a result of Hold.
type Result uint8

const (
	// Refused tells that the send is the caller's.
	Refused Result = iota
	// First tells that the socket holds this send, and held none before.
	First
	// Further tells that the socket holds this send beside others.
	Further
)
