package integration_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"

	"github.com/wasport/wasport"
)

// TestComponentBlockedCallsEnd ends a component in each call that blocks, by the context, its
// deadline and Stop.
func TestComponentBlockedCallsEnd(t *testing.T) {
	reason := errors.New("enough")
	over := make(chan struct{})
	defer close(over)
	host, port := serveTCP(t, "127.0.0.1", func(net.Conn) { <-over }) // neither reads nor writes
	for _, args := range [][]string{
		{"poll"}, {"block"}, {"stdin"}, {"skip"}, {"splice"}, {"accept", "127.0.0.1", "0"},
		{"read", host, port}, {"write", host, port}, {"flush", host, port},
		{"receive", "127.0.0.1", "0"},
	} {
		for _, end := range []struct {
			name string
			stop func(g *wasport.Guest, cancel context.CancelCauseFunc)
		}{
			{"context", func(_ *wasport.Guest, cancel context.CancelCauseFunc) { cancel(reason) }},
			{"Stop", func(g *wasport.Guest, _ context.CancelCauseFunc) { g.Stop(reason) }},
		} {
			t.Run(args[0]+" by "+end.name, func(t *testing.T) {
				input, keepOpen := io.Pipe()
				defer keepOpen.Close()
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				g := startModule(t, ctx,
					wasport.Config{Policy: loopbackPolicy(t), Stdin: input},
					compileComponent(t, "block"), "block", args...)
				g.expectLines("blocking")
				if args[0] == "accept" {
					g.readListenAddr()
				}
				end.stop(g.handle, cancel)
				if _, err := g.handle.Wait(); err != reason {
					t.Errorf("got %v, want %v", err, reason)
				}
			})
		}
	}
	waitUntil(t, "no goroutine of a guest", noGuestGoroutines)
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
