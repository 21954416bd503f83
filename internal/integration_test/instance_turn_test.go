package integration_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
)

// blockedConfig is a configuration in which every call of the guest that can wait does, until
// release is called.
func blockedConfig(t *testing.T) (c wasport.Config, release func()) {
	hold := make(chan struct{})
	read := readFunc(func([]byte) (int, error) { <-hold; return 0, io.EOF })
	write := writeFunc(func(b []byte) (int, error) { <-hold; return len(b), nil })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return wasport.Config{Stdin: read, Stdout: write,
		Sockets: []syscall.Conn{l.(*net.TCPListener)},
		Policy:  testutil.Policy(t, "allow resolve *.test"),
		Network: fakeNetwork(func() { <-hold })}, func() { close(hold) }
}

// TestCancelledCallLeavesInstance cancels calls of guests that wait in each way.
func TestCancelledCallLeavesInstance(t *testing.T) {
	const ecanceled = 11
	why := errors.New("enough")
	m := compileTestdata(t, "instance")
	c, release := blockedConfig(t)
	defer release()
	i := newInstance(t, m, c)
	for _, name := range []string{"nap", "read", "accept", "resolve", "write"} {
		t.Run(name, func(t *testing.T) {
			for _, wait := range []time.Duration{0, 10 * time.Millisecond} {
				ctx, cancel := context.WithTimeoutCause(context.Background(), wait, why)
				results, err := i.Call(ctx, name)
				cancel()
				if err != why || results != nil || i.Err() != nil {
					t.Fatalf("after %v: got %v, %v and the instance's %v, want %v and nil", wait,
						results, err, i.Err(), why)
				}
			}
			if e := mustCall(t, i, "errno"); e != ecanceled {
				t.Errorf("got errno %d in the guest, want ECANCELED", e)
			}
		})
	}
	// The time of a guest that is about to return is not up yet.
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond, why)
	defer cancel()
	if _, err := i.Call(ctx, "sleep_and_compute", 10_000); err != why || i.Err() != nil {
		t.Errorf("got %v and the instance's %v, want %v and nil", err, i.Err(), why)
	}
}

// cutCall makes a call that does not return by itself, and cancels it while the guest is in it. A
// context that ends before the guest begins leaves the instance as it is, so that a busy machine
// gets more time.
func cutCall(ctx context.Context, why error, call callFunc, name string, args ...uint64) error {
	for wait := time.Millisecond; ; wait *= 2 {
		short, cancel := context.WithTimeoutCause(ctx, wait, why)
		_, err := call(short, name, args...)
		cancel()
		if err != why || wait > 5*time.Second {
			return err
		}
	}
}

// callFunc is Instance.Call or Caller.Call.
type callFunc func(ctx context.Context, name string, args ...uint64) ([]uint64, error)

// TestCancelledCallEndsInstance cancels calls of guests that do not return.
func TestCancelledCallEndsInstance(t *testing.T) {
	why := errors.New("enough")
	m := compileTestdata(t, "instance")
	for _, name := range []string{"spin", "sleep_for_ever"} {
		t.Run(name, func(t *testing.T) {
			i := newInstance(t, m, wasport.Config{})
			err := cutCall(context.Background(), why, i.Call, name)
			var interrupted *wasport.InterruptedError
			if !errors.As(err, &interrupted) || !errors.Is(err, why) {
				t.Errorf("got %v, want an InterruptedError with %v", err, why)
			}
			var ended *wasport.EndedError
			_, err = i.Call(context.Background(), "count")
			if !errors.As(err, &ended) || !errors.As(err, &interrupted) || !errors.Is(err, why) {
				t.Errorf("got %v, want an EndedError with the InterruptedError", err)
			}
		})
	}
}

// TestCallsTakeTurns calls an instance while another call is under way.
func TestCallsTakeTurns(t *testing.T) {
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	var first sync.WaitGroup
	inTurn, leave := make(chan struct{}), make(chan struct{})
	first.Go(func() {
		err := i.Do(ctx, func(ctx context.Context) error {
			close(inTurn)
			<-leave
			_, err := i.Call(ctx, "count")
			return errors.Join(err, i.Do(ctx, func(ctx context.Context) error {
				_, err := i.Call(ctx, "count")
				return err
			}))
		})
		if err != nil {
			t.Errorf("got %v from the first, want nil", err)
		}
	})
	<-inTurn
	why := errors.New("enough")
	late, cancelLate := context.WithTimeoutCause(context.Background(), time.Millisecond, why)
	defer cancelLate()
	if _, err := i.Call(late, "count"); err != why || i.Err() != nil {
		t.Errorf("got %v from one that waits, want %v and the instance alive", err, why)
	}
	var second sync.WaitGroup
	second.Go(func() {
		if got, err := i.Call(context.Background(), "count"); err != nil || got[0] != 3 {
			t.Errorf("got %v, %v from the second; want 3", got, err)
		}
	})
	close(leave)
	first.Wait()
	second.Wait()
	cancel()
}

// TestCallsByManyGoroutines calls, reads, stops and closes an instance at once.
func TestCallsByManyGoroutines(t *testing.T) {
	m := compileTestdata(t, "instance")
	for _, end := range []func(*wasport.Instance){
		func(i *wasport.Instance) { i.Close() },
		func(i *wasport.Instance) { i.Stop(nil); i.Wait() },
		func(i *wasport.Instance) { i.Call(context.Background(), "trap") },
	} {
		i := newInstance(t, m, wasport.Config{})
		var counted, ends atomic.Uint64
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for {
					ctx, cancel := context.WithTimeout(context.Background(), time.Second)
					_, err := i.Call(ctx, "count")
					cancel()
					i.Memory().Write(uint64(n), []byte{1})
					i.Memory().Read(0, 64)
					i.Call(context.Background(), "grow", 1)
					if err != nil {
						return
					}
					counted.Add(1)
				}
			})
			all.Go(func() {
				waitUntil(t, "calls are made", func() bool { return counted.Load() > 100 })
				end(i)
				ends.Add(1)
			})
		}
		all.Wait()
		if ends.Load() != 8 || i.Err() == nil {
			t.Errorf("got %d ends and %v, want 8 and an error", ends.Load(), i.Err())
		}
	}
}
