package wasport_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/wasport/wasport"
	threadguests "github.com/wasport/wasport/guest/threads"
)

// startThreads starts one of the guests in guest/threads, allowed to do everything on loopback, with up to so many threads.
func startThreads(t testing.TB, threads int, name string, args ...string) *guest {
	t.Helper()
	return startThreadsWith(t, context.Background(), wasport.Config{Policy: onLoopback(t), MaxThreads: threads}, name, args...)
}

func startThreadsWith(t testing.TB, ctx context.Context, c wasport.Config, name string, args ...string) *guest {
	t.Helper()
	return startModule(t, ctx, c, moduleOf(t, threadguests.FS, name), name, args...)
}

// again runs a test over and over: what goes wrong between threads seldom does so the first time.
func again(t *testing.T, f func(t *testing.T)) {
	times := 3
	switch {
	case os.Getenv("WASPORT_CI") != "":
		times = 100
	case testing.Short():
		times = 1
	}
	for i := range times {
		if f(t); t.Failed() {
			t.Fatalf("in round %d of %d", i+1, times)
		}
	}
}

// TestThreadEach has a thread serve each connection: all at once, a thousand of them in the first round.
func TestThreadEach(t *testing.T) {
	count := 1000
	again(t, func(t *testing.T) {
		g := startThreads(t, count, "echo", strconv.Itoa(count))
		at := g.listening()
		conns := make([]net.Conn, count)
		var talking sync.WaitGroup
		for i := range conns {
			conns[i] = dial(t, at)
			say(t, conns[i], "hello")
		}
		for i, c := range conns {
			talking.Go(func() {
				hear(t, c, "hello")
				for round := range 3 {
					text := fmt.Sprintf("connection %d round %d", i, round)
					say(t, c, text)
					hear(t, c, text)
				}
			})
		}
		talking.Wait()
		for _, c := range conns {
			c.Close()
		}
		g.expect(fmt.Sprintf("served %d, %d at once", count, count))
		g.ends(0)
		count = 50
	})
}
