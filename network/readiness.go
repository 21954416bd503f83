package network

// Events are the things that may be waited for on a descriptor.
type Events uint8

const (
	Readable Events = 1 << iota // a read, receive or accept will not block
	Writable                    // a write or send will not block, or a connect has ended
	// the peer has gone in both directions; reported whether wanted or not
	Hangup
	Failed // an error is pending; reported whether wanted or not
)

// Pollable is a descriptor whose readiness can be asked for and waited for.
type Pollable interface {
	// Poll reports, without blocking, which of the wanted events hold now, and Hangup and Failed.
	Poll(want Events) (Events, error)

	// Readiness says how to learn that Poll would answer otherwise.
	Readiness() Readiness

	// Available is the number of bytes that could be read now, or 0 if that is not known.
	Available() (int, error)
}

// Readiness is the way to wait for a Pollable along with others. The zero value belongs to a
// descriptor that is always ready, such as a regular file.
type Readiness struct {
	// Control calls f with the handle of the operating system to wait on, which stays open until f
	// returns. It is an error, and f is not called, once the descriptor is closed.
	Control func(f func(fd uintptr)) error

	// Notify, for descriptors without such a handle, arranges for wake to be called, at least once
	// and from any goroutine, when one of the events begins to hold or already does, until stop is
	// called.
	Notify func(want Events, wake func()) (stop func())
}
