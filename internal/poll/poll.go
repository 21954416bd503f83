// Package poll waits for many descriptors at once.
//
// It knows descriptors only as network.Pollables: sockets, files and standard streams. The layer
// above (internal/system) translates the subscriptions of a guest, and handles those to clocks.
//
// On Linux a Set is an epoll(7) instance that keeps its registrations between calls, so that a call
// costs as much as the ready items, not as all items. A call with other items than the last
// compares them all, and calls the kernel for those that changed. Go's poller waits for the
// instance, so that a blocked call takes a goroutine and no OS thread. On darwin and the BSDs all
// sets share a kqueue(2), for which one goroutine waits; that is built and vetted there, and tested
// on Linux with another queue, but has run on none of them. On Windows, and on Linux where no epoll
// can wait for another, each call is a poll(2) or WSAPoll in an OS thread of its own.
//
// Wait is called by one goroutine at a time. Wake, Close and the wake functions given to Notify may
// be called by others at any time.
//
// Lock order: a lock that a Pollable holds while it calls the wake function of Notify comes before
// Set.mu. So Set.mu is not held while Poll, Control, Notify or stop of a Pollable is called.
package poll

import "github.com/wasport/wasport/network"

// Item is one descriptor to wait for. Several items may have the same Pollable.
type Item struct {
	// P must have a comparable dynamic type, such as a pointer.
	P network.Pollable
	// Want holds the events to wait for. Hangup and Failed make an item ready even if Want is 0.
	Want network.Events
	// Open tells that the caller knows P to be open. Then a set need not ask P whether it is
	// closed, and keeps the registration that an earlier call has made.
	Open bool

	// Got holds the wanted events that hold, and Hangup and Failed. Err is the reason why they are
	// not known: net.ErrClosed if P is closed. Wait sets both for the items that it returns as
	// ready, and leaves stale values in the others.
	Got network.Events
	Err error
}

// filter returns those of the events that make the item ready.
func (i *Item) filter(e network.Events) network.Events {
	return e & (i.Want | network.Hangup | network.Failed)
}

// pollAlwaysReady polls an item that is always ready, such as a regular file, and reports
// whether the item is ready. An item that wants no events is ready only after an error.
func (i *Item) pollAlwaysReady() bool {
	i.Got, i.Err = i.P.Poll(i.Want)
	if i.Err == nil && i.Got == 0 {
		i.Got = i.Want
	}
	return i.Err != nil || i.Got != 0
}
