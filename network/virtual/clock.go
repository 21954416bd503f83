package virtual

import "time"

// Clock is the time of a world. Its methods may be called from several goroutines.
type Clock interface {
	Now() time.Time

	// AfterFunc calls f once d has passed, from any goroutine. The function f does not block.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a call that a Clock will make. A *time.Timer is one.
type Timer interface {
	// Stop cancels the call, if it has not been made, and reports whether it did.
	Stop() bool
	// Reset sets the call to be made once d has passed from now.
	Reset(d time.Duration) bool
}

// systemClock is the time of the machine.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
