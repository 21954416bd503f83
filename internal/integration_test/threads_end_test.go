package integration_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// TestStopWithBlockedThreads ends guests whose threads compute or block in every blocking call: by
// one of the threads, and from outside. The end must come soon, and leave nothing behind.
func TestStopWithBlockedThreads(t *testing.T) {
	reason := errors.New("enough")
	for _, test := range []struct {
		name, how string
		end       func(cancel context.CancelCauseFunc, g *wasport.Guest) // from outside
		code      uint32
		trap      bool
		err       error
	}{
		{name: "trap", how: "trap", trap: true},
		{name: "exit", how: "exit", code: 7},
		{name: "return", how: "return"},
		{name: "cancel", how: "nothing", err: reason,
			end: func(cancel context.CancelCauseFunc, _ *wasport.Guest) { cancel(reason) }},
		{name: "stop", how: "nothing", err: reason,
			end: func(_ context.CancelCauseFunc, g *wasport.Guest) { g.Stop(reason) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			var late []time.Duration
			rounds, most := 0, 1000*idleGuestTime(t).wall
			repeatTest(t, func(t *testing.T) {
				rounds++
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				stdin, keep, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer keep.Close()
				defer stdin.Close()
				g := startThreadsWith(t, ctx,
					wasport.Config{Policy: loopbackPolicy(t), Stdin: stdin}, "end", test.how)
				g.expectLines("ready")
				at := time.Now()
				if test.end != nil {
					test.end(cancel, g.handle)
				}
				status, err := g.handle.Wait()
				if took := time.Since(at); canMeasure && took > most {
					late = append(late, took)
				}
				if rest, _ := io.ReadAll(g.stdout); len(rest) > 0 {
					t.Errorf("got %s from threads after the end, want nothing", rest)
				}
				var trap *wasport.Trap
				switch {
				case test.trap:
					if !errors.As(err, &trap) || trap.Reason != "unreachable" ||
						!strings.Contains(trap.Stack, "wasi_thread_start") {
						t.Errorf("got %v, want a trap with a thread's stack", err)
					}
				case err != test.err || status.Code != test.code:
					t.Errorf("got %v, %v, want code %d, %v", status, err, test.code, test.err)
				}
			})
			// What else runs on the machine may hold up one end; it does not hold up many.
			if len(late) > rounds/10+1 {
				t.Errorf("got %d of %d ends later than %v, want hardly any: %v", len(late), rounds,
					most, late)
			}
			waitUntil(t, "no goroutine of a guest is left", noGuestGoroutines)
		})
	}
}

// TestMaxCPUOfAllThreads runs threads that reach the limit only in total.
func TestMaxCPUOfAllThreads(t *testing.T) {
	const limit = 50 * time.Millisecond
	c := wasport.Config{Policy: loopbackPolicy(t), MaxCPU: limit}
	stdin, keep := io.Pipe()
	defer keep.Close()
	c.Stdin = stdin
	for name, args := range map[string][]string{"end": {"nothing"}, "join": {"100000000"},
		"count": {"8", "100000000"}} {
		t.Run(name, func(t *testing.T) {
			g := startThreadsWith(t, context.Background(), c, name, args...)
			go io.Copy(io.Discard, g.stdout)
			if _, err := g.handle.Wait(); err != wasport.ErrCPU {
				t.Errorf("got %v, want %v", err, wasport.ErrCPU)
			}
		})
	}
}
