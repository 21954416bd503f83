package integration_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// TestComponentBlockedCallsEnd ends a component in each call that blocks, by the context, its
// deadline and Stop, and soon.
func TestComponentBlockedCallsEnd(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	host, port := serveTCP(t, "127.0.0.1", func(net.Conn) { <-over }) // neither reads nor writes
	for _, args := range [][]string{
		{"poll"}, {"block"}, {"stdin"}, {"skip"}, {"splice"}, {"accept", "127.0.0.1", "0"},
		{"read", host, port}, {"write", host, port}, {"flush", host, port},
		{"receive", "127.0.0.1", "0"},
	} {
		for name, end := range map[string]func(*testing.T, []string) timing{
			"context": func(t *testing.T, args []string) timing {
				return endBlocked(t, args, func(_ *wasport.Guest, cancel context.CancelCauseFunc) {
					cancel(errBlockedEnough)
				})
			},
			"Stop": func(t *testing.T, args []string) timing {
				return endBlocked(t, args, func(g *wasport.Guest, _ context.CancelCauseFunc) {
					g.Stop(errBlockedEnough)
				})
			},
			"deadline": endBlockedByDeadline,
		} {
			t.Run(args[0]+" by "+name, func(t *testing.T) {
				checkWithin(t, func() []timing { return []timing{end(t, args)} },
					bound{"the end", 100})
			})
		}
	}
	waitUntil(t, "no goroutine of a guest", noGuestGoroutines)
}

var errBlockedEnough = errors.New("enough")

// endBlocked starts a component that blocks and ends it. It returns how long the end took.
func endBlocked(
	t *testing.T, args []string, stop func(*wasport.Guest, context.CancelCauseFunc),
) timing {
	t.Helper()
	input, keepOpen := io.Pipe()
	defer keepOpen.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	g := startModule(t, ctx, wasport.Config{Policy: loopbackPolicy(t), Stdin: input},
		compileComponent(t, "block"), "block", args...)
	g.expectLines("blocking")
	if args[0] == "accept" {
		g.readListenAddr()
	}
	w := startStopwatch()
	stop(g.handle, cancel)
	_, err := g.handle.Wait()
	took := w.stop()
	if err != errBlockedEnough {
		t.Errorf("got %v, want %v", err, errBlockedEnough)
	}
	return took
}

// endBlockedByDeadline is endBlocked by the deadline of the context.
func endBlockedByDeadline(t *testing.T, args []string) timing {
	t.Helper()
	const run = 20 * time.Millisecond
	input, keepOpen := io.Pipe()
	defer keepOpen.Close()
	m := compileComponent(t, "block")
	ctx, cancel := context.WithTimeout(context.Background(), run)
	defer cancel()
	w := startStopwatchAfter(run)
	_, err := m.Run(ctx, wasport.Config{Args: append([]string{"block"}, args...),
		Policy: loopbackPolicy(t), Stdin: input})
	took := w()
	if err != context.DeadlineExceeded {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	return took
}

// TestComponentOutputAtEnd reads what a component has written to a pipe, which took only a part of
// it before the component ended.
func TestComponentOutputAtEnd(t *testing.T) {
	for _, args := range [][]string{{"unflushed"}, {"unflushed", "exit"}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		g, err := compileComponent(t, "unflushed").Start(context.Background(),
			wasport.Config{Args: args, Stdout: w})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			g.Wait()
			w.Close()
		}()
		b, err := io.ReadAll(r)
		if len(b) < 128<<10 || len(b)%(64<<10) != 0 || err != nil {
			t.Errorf("%v: got %d bytes, %v, want two or more pieces of 64 KiB", args, len(b), err)
		}
		if status, err := g.Wait(); err != nil || status.Code != 0 {
			t.Errorf("%v: got %+v, %v, want status 0", args, status, err)
		}
	}
}
