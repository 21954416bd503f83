// Package outside is where a guest meets code that is neither its own nor wasport's: the writers,
// readers, callbacks and networks of an embedder.
//
// Such code may panic, and it may block for ever. Protect turns a panic into an error. A Queue
// has a goroutine of its own for the calls, so that one which blocks does not hold up the guest.
package outside

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Panic is the error of a guest that ended because code of the embedder's panicked on its behalf.
type Panic struct {
	In    string // which code, such as "Config.Stdin" or "sock_connect"
	Value any    // the argument of panic
	Stack string // Go's stack, as runtime/debug.Stack prints it
}

func (p *Panic) Error() string { return fmt.Sprintf("the host panicked in %s: %v", p.In, p.Value) }

// Unwrap returns the value if that is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

var errGoexit = errors.New("it ended its goroutine with runtime.Goexit")

// NewPanic makes a Panic of what recover returned. The deferred function that recovered calls it,
// since the stack is the current one.
func NewPanic(in string, recovered any) *Panic {
	if recovered == nil {
		recovered = errGoexit
	}
	return &Panic{In: in, Value: recovered, Stack: string(debug.Stack())}
}

// Protect calls f, and failed if f panics or ends its goroutine.
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
