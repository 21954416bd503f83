package integration_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// TestHostFunctionCallsItsGuest has host functions call the guest that calls them.
func TestHostFunctionCallsItsGuest(t *testing.T) {
	var i *wasport.Instance
	deepest := uint64(0)
	// The host function calls itself through the guest, by two ways in turn.
	f := func(ctx context.Context, c *wasport.Caller, arg uint64) uint64 {
		deepest = max(deepest, 200-arg)
		if arg == 0 {
			twice, err := c.Call(ctx, "double", 21)
			if err != nil {
				t.Errorf("got %v, want 42", err)
			}
			return twice[0]
		}
		call := c.Call
		if arg%2 == 0 && i != nil {
			call = i.Call
		}
		results, err := call(ctx, "call", arg-1)
		if err != nil {
			return 0 // the guest has ended
		}
		return results[0]
	}
	eachHostRuntime(t, f, func(t *testing.T, m *wasport.Module) {
		i = nil
		run := wasport.Config{Function: "call", Params: []uint64{20}}
		if status, err := m.Run(context.Background(), run); err != nil ||
			status.Results[0] != 42+21 {
			t.Errorf("Run: got %v, %v; want 63", status, err)
		}
		i = newInstance(t, m, wasport.Config{})
		if got := mustCall(t, i, "call", 20); got != 42+21 {
			t.Errorf("Instance: got %v, want 63", got)
		}
		deepest = 0
		_, err := i.Call(context.Background(), "call", 200)
		var trap *wasport.Trap
		if !errors.As(err, &trap) || !strings.Contains(trap.Reason, "nested") || deepest != 99 {
			t.Errorf("got %v at a depth of %d, want a trap at 99", err, deepest)
		}
	})
}

// TestGuestEndsInNestedCall ends guests in calls that host functions make.
func TestGuestEndsInNestedCall(t *testing.T) {
	var name string
	var inner error
	why := errors.New("enough")
	f := func(ctx context.Context, c *wasport.Caller, _ uint64) uint64 {
		switch name {
		case "spin":
			inner = cutCall(ctx, why, c.Call, name)
		case "wait":
			short, cancel := context.WithTimeoutCause(ctx, time.Millisecond, why)
			_, inner = c.Call(short, name)
			cancel()
		default:
			_, inner = c.Call(ctx, name)
		}
		if _, err := c.Call(ctx, "missing"); err == nil {
			t.Error("got no error for a function that is missing, want one")
		}
		return 1
	}
	eachHostRuntime(t, f, func(t *testing.T, m *wasport.Module) {
		for _, test := range []struct {
			name string
			want func(error) bool
			ends bool
		}{
			{"trap", func(err error) bool {
				var trap *wasport.Trap
				return errors.As(err, &trap)
			}, true},
			{"exit", func(err error) bool {
				var exit *wasport.ExitError
				return errors.As(err, &exit) && exit.Code == 3
			}, true},
			{"spin", func(err error) bool {
				var interrupted *wasport.InterruptedError
				return errors.As(err, &interrupted)
			}, true},
			{"wait", func(err error) bool { return err == why }, false},
		} {
			t.Run(test.name, func(t *testing.T) {
				name = test.name
				i := newInstance(t, m, wasport.Config{})
				_, err := i.Call(context.Background(), "call", 1)
				if !test.want(inner) || test.ends && !test.want(err) || (err != nil) != test.ends {
					t.Errorf("got %v inside and %v outside", inner, err)
				}
			})
		}
	})
}

// TestCallerAfterReturn uses a caller after its host function has returned, and from another
// goroutine before.
func TestCallerAfterReturn(t *testing.T) {
	var kept *wasport.Caller
	var keptCtx context.Context
	f := func(ctx context.Context, c *wasport.Caller, arg uint64) uint64 {
		kept, keptCtx = c, ctx
		var other sync.WaitGroup
		var got []uint64
		other.Go(func() { got, _ = c.Call(ctx, "double", arg) })
		other.Wait()
		go c.Call(ctx, "double", arg) // may come after the return
		return got[0]
	}
	m := compileHostcall(t, wasport.RuntimeConfig{HostFunctions: hostFunctions(f)})
	i := newInstance(t, m, wasport.Config{})
	for range 100 {
		if got := mustCall(t, i, "call", 2); got != 5 {
			t.Errorf("got %d, want 5", got)
		}
		if _, err := kept.Call(keptCtx, "double", 2); err == nil {
			t.Error("got no error from a caller after the return, want one")
		}
		// The context is no longer that of a host function, so the call takes a turn.
		if got, err := i.Call(keptCtx, "double", 2); err != nil || got[0] != 4 {
			t.Errorf("got %v, %v with the context of a function that returned; want 4", got, err)
		}
	}
	if b, err := kept.Memory().Read(0, 1); err != nil {
		t.Errorf("got %v, %v from the memory, want no error", b, err)
	}
	i.Close()
	if _, err := kept.Memory().Read(0, 1); err == nil {
		t.Error("got no error from the memory of a guest that has ended, want one")
	}
}

// TestInstancesCallEachOther has host functions of one instance call another, which calls the
// first.
func TestInstancesCallEachOther(t *testing.T) {
	instances := make([]*wasport.Instance, 2)
	f := func(ctx context.Context, c *wasport.Caller, arg uint64) uint64 {
		if arg == 0 {
			return 0
		}
		results, err := instances[arg%2].Call(ctx, "call", arg-1)
		if err != nil {
			t.Errorf("got %v, want no error", err)
			return 0
		}
		return results[0]
	}
	m := compileHostcall(t, wasport.RuntimeConfig{HostFunctions: hostFunctions(f)})
	for n := range instances {
		instances[n] = newInstance(t, m, wasport.Config{})
	}
	if got := mustCall(t, instances[0], "call", 10); got != 11 {
		t.Errorf("got %d, want 11", got)
	}
}
