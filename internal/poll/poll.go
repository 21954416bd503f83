// Package poll waits for many descriptors at once.
//
// It knows descriptors only as network.Pollables: sockets, files, standard streams and whatever
// else can say when it is ready. What a guest's subscriptions mean, clocks among them, is for the
// layer above to say.
//
// On Linux a Set is an epoll that keeps its registrations between calls, so that a call costs what
// is ready and not what is waited for, and that is itself waited for in Go's poller, so that a
// blocked call costs a goroutine and no thread. Elsewhere each call is a poll(2) or a WSAPoll in a
// thread of its own.
package poll

import "github.com/wasport/wasport/network"

// Item is one thing to wait for. Items may have the same Pollable. The value in P must be
// comparable, as pointers are.
type Item struct {
	P    network.Pollable
	Want network.Events // none: only Hangup and Failed make it ready

	// Got is which of the wanted events hold, and Hangup and Failed. Err is why that cannot be
	// told: net.ErrClosed when P is closed. Both are set for the items that Wait returns as ready,
	// and stale in the others.
	Got network.Events
	Err error
}

// interesting are the events that make an item ready.
func (i *Item) interesting(e network.Events) network.Events {
	return e & (i.Want | network.Hangup | network.Failed)
}

// standing is for what is ready whenever it is asked, such as a regular file. It returns whether
// the item is: one that wants nothing is only if something is wrong.
func (i *Item) standing() bool {
	i.Got, i.Err = i.P.Poll(i.Want)
	if i.Err == nil && i.Got == 0 {
		i.Got = i.Want
	}
	return i.Err != nil || i.Got != 0
}
