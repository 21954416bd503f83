// Package outside guards calls to code of the embedder: writers, readers, callbacks, loggers and
// networks. Such code may panic, and it may block for ever.
//
// Protect turns a panic into an error. A Queue makes calls on its own goroutine, so that a blocked
// call does not block the guest. Nothing here knows a guest.
//
// Locks: Queue.mu is never held during a call.
package outside

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Panic is the error of a guest that ended because code of the embedder panicked on its behalf.
type Panic struct {
	In    string // the code that panicked, such as "Config.Stdin" or "sock_connect"
	Value any    // the argument of panic
	Stack string // in the format of runtime/debug.Stack
}

func (p *Panic) Error() string { return fmt.Sprintf("the host panicked in %s: %v", p.In, p.Value) }

// Unwrap returns Value if that is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

var errGoexit = errors.New("it ended its goroutine with runtime.Goexit")

// NewPanic makes a Panic from the result of recover. The deferred function that recovered must call
// it, since it records the current stack. A *Panic is returned as it is: it comes from another
// goroutine, and has its stack.
func NewPanic(in string, recovered any) *Panic {
	if p, ok := recovered.(*Panic); ok {
		return p
	}
	if recovered == nil {
		recovered = errGoexit
	}
	return &Panic{In: in, Value: recovered, Stack: string(debug.Stack())}
}

// Protect calls f. If f panics or ends its goroutine, Protect calls failed.
func Protect(in string, f func(), failed func(*Panic)) {
	returned := false
	defer func() {
		if !returned {
			failed(NewPanic(in, recover()))
		}
	}()
	f()
	returned = true
}
