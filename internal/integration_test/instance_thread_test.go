package integration_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/wasport/wasport"
)

// TestThreadOfInstance has a thread of an instance call a host function between and during calls.
func TestThreadOfInstance(t *testing.T) {
	ctx := context.Background()
	var fromThread atomic.Uint64
	var i *wasport.Instance
	r, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{HostFunctions: hostFunctions(
		func(ctx context.Context, c *wasport.Caller, arg uint64) uint64 {
			if _, err := c.Memory().Read(0, 16); err != nil && ctx.Err() == nil {
				t.Errorf("got %v from the memory, want no error", err)
			}
			if arg == 2 {
				fromThread.Add(1)
				// A call by the thread runs on the thread, beside one of the embedder.
				c.Call(ctx, "counted")
				return 0
			}
			return arg
		})})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	m, err := r.Compile(ctx, testdata(t, "instance_thread"), wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	i = newInstance(t, m, wasport.Config{})
	if id := mustCall(t, i, "start"); int32(id) <= 0 {
		t.Fatalf("got %d from thread-spawn, want an id", int32(id))
	}
	counted := func() bool { return fromThread.Load() > 100 }
	waitUntil(t, "the thread runs between calls", counted)
	for n := range uint64(100) {
		if got := mustCall(t, i, "call", 3+n); got != 3+n {
			t.Errorf("got %d, want %d", got, 3+n)
		}
		size := i.Memory().Size()
		if mustCall(t, i, "grow", n&1); i.Memory().Size() < size {
			t.Errorf("got %d bytes after %d", i.Memory().Size(), size)
		}
		if _, err := i.Memory().Read(i.Memory().Size(), 1); err == nil {
			t.Error("got no error beyond the memory, want one")
		}
	}
	why := errors.New("enough")
	err = cutCall(ctx, why, i.Call, "await")
	var interrupted *wasport.InterruptedError
	if !errors.As(err, &interrupted) || !errors.Is(err, why) {
		t.Errorf("got %v from a wait for another thread, want an InterruptedError", err)
	}
	if err := i.Close(); !errors.Is(err, why) {
		t.Errorf("got %v from Close, want the reason of the end", err)
	}
}
