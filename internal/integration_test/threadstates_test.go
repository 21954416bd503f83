package integration_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// threadStates returns the states of a guest's threads. A thread that computes has a moment to tell
// its stack.
func threadStates(g *guest) []wasport.ThreadState {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	return g.handle.ThreadStates(ctx)
}

// TestThreadStates looks at a guest whose threads compute and block in every blocking call.
func TestThreadStates(t *testing.T) {
	stdin, keep, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	defer stdin.Close()
	g := startThreadsWith(t, t.Context(),
		wasport.Config{Policy: loopbackPolicy(t), Stdin: stdin}, "end", "nothing")
	g.expectLines("ready")
	var got []wasport.ThreadState
	in := func(call string) bool {
		return slices.ContainsFunc(got, func(s wasport.ThreadState) bool { return s.Call == call })
	}
	waitUntil(t, "a thread in each call, and one that computes", func() bool {
		got = threadStates(g)
		return in("sock_recv") && in("sock_recv_from") && in("sock_accept") && in("poll_oneoff") &&
			in("fd_read") && in("memory.atomic.wait") &&
			slices.ContainsFunc(got, func(s wasport.ThreadState) bool {
				return strings.HasPrefix(s.Stack, "computing(")
			})
	})
	for i, s := range got {
		if s.Number != i || s.Call != "" && s.Stack != "" {
			t.Errorf("thread %d: got %+v, want its number, and a call or a stack", i, s)
		}
	}
}

// TestThreadStatesOfComponent looks at a component that computes: the frames have the names of
// core modules.
func TestThreadStatesOfComponent(t *testing.T) {
	g := startModule(t, t.Context(), wasport.Config{}, compileComponent(t, "spin"), "spin")
	g.readLine()
	waitUntil(t, "one thread that computes", func() bool {
		states := threadStates(g)
		return len(states) == 1 && strings.Contains(states[0].Stack, "(") &&
			!strings.Contains(states[0].Stack, "tick")
	})
}

// TestThreadStatesEnd asks for the stack of a guest that does not tell it, and of one that has
// ended.
func TestThreadStatesEnd(t *testing.T) {
	g := startGuest(t, "spin")
	g.readLine()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if got := g.handle.ThreadStates(ctx); len(got) != 1 {
		t.Errorf("got %+v without time to wait, want one thread", got)
	}
	g.handle.Stop(context.Canceled)
	g.handle.Wait()
	if got := threadStates(g); len(got) != 0 {
		t.Errorf("got %+v after the end, want no thread", got)
	}
}
