package integration_test

import (
	"context"
	"errors"
	"io"
	"net"
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
