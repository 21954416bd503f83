package integration_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport"
	threadguests "github.com/wasport/wasport/internal/guests/threads"
)

// startThreads starts one of the guests in internal/guests/threads, allowed to do everything on
// loopback.
func startThreads(t testing.TB, name string, args ...string) *guest {
	t.Helper()
	return startThreadsWith(t, context.Background(), wasport.Config{Policy: onLoopback(t)}, name,
		args...)
}

func startThreadsWith(t testing.TB, ctx context.Context, c wasport.Config, name string,
	args ...string) *guest {
	t.Helper()
	return startModule(t, ctx, c, moduleOf(t, threadguests.FS, name), name, args...)
}

// again runs a test over and over, a hundred times if WASPORT_CI is set: what goes wrong between
// threads seldom does so the first time.
func again(t *testing.T, f func(t *testing.T)) {
	times := 3
	switch {
	case os.Getenv("WASPORT_CI") != "":
		times = 100
	case testing.Short():
		times = 1
	}
	for i := range times {
		f(t)
		if t.Failed() {
			t.Fatalf("in round %d of %d", i+1, times)
		}
	}
}

func TestThreadsJoin(t *testing.T) {
	again(t, func(t *testing.T) {
		g := startThreads(t, "join", "50")
		if got := g.line(); !strings.HasPrefix(got, "joined 50, sum 1275, id ") {
			t.Errorf("it said %q", got)
		}
		g.ends(0)
	})
}

// TestThreadIDs lets more threads follow one another than there may be at once.
func TestThreadIDs(t *testing.T) {
	c := wasport.Config{MaxThreads: 1}
	g := startThreadsWith(t, context.Background(), c, "join", "1000")
	var joined, sum, id int
	if _, err := fmt.Sscanf(g.line(), "joined %d, sum %d, id %d", &joined, &sum, &id); err != nil ||
		id < 1000 {
		t.Errorf("joined %d, the last had the id %d, %v", joined, id, err)
	}
	g.ends(0)
}

func TestThreadsCount(t *testing.T) {
	again(t, func(t *testing.T) {
		g := startThreads(t, "count", "8", "500")
		g.expect("counted 4000 and 4000")
		g.ends(0)
	})
}

func TestAtomicWaits(t *testing.T) {
	again(t, func(t *testing.T) {
		g := startThreads(t, "waits", "results")
		g.expect("ok")
		g.ends(0)
	})
	for what, reason := range map[string]string{
		"unaligned32": "unaligned atomic", "unaligned64": "unaligned atomic",
		"unalignedN": "unaligned atomic",
		"beyond32":   "out of bounds memory access", "beyond64": "out of bounds memory access",
		"beyondN": "out of bounds memory access",
		"offset":  "out of bounds memory access",
	} {
		trap := trapOf(t, startThreads(t, "waits", what))
		if trap.Reason != reason || !strings.Contains(trap.Stack, "program") {
			t.Errorf("%s: %v\n%s", what, trap, trap.Stack)
		}
	}
}

func trapOf(t testing.TB, g *guest) *wasport.Trap {
	t.Helper()
	_, err := g.g.Wait()
	trap, ok := err.(*wasport.Trap)
	if !ok {
		t.Fatalf("it ended with %v, and not by a trap; stderr: %s", err, g.errs)
	}
	return trap
}

func TestThreadLimit(t *testing.T) {
	for _, test := range []struct{ most, started int }{{0, 64}, {1, 1}, {7, 7}, {200, 200},
		{-1, 0}} {
		again(t, func(t *testing.T) {
			g := startThreadsWith(t, context.Background(), wasport.Config{MaxThreads: test.most},
				"limit")
			for range 2 {
				g.expect("started " + strconv.Itoa(test.started))
				if test.started > 0 {
					g.expect("another")
				}
				g.expect("ended")
			}
			g.ends(0)
		})
	}
}

// TestThreadsTrace traces the calls of several threads into one writer: lines stay whole, and say
// whose they are.
func TestThreadsTrace(t *testing.T) {
	var trace lines
	g := startThreadsWith(t, context.Background(),
		wasport.Config{Policy: onLoopback(t), Trace: &trace}, "pair", "pingpong", "20")
	g.line()
	g.ends(0)
	of := make(map[string]int)
	for _, line := range trace {
		thread, call, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "] ")
		if !ok {
			thread, call = "", thread
		}
		if !strings.HasSuffix(call, ">") || strings.Count(call, "\n") > 0 ||
			strings.Count(call, " = ") != 1 {
			t.Errorf("not a line: %q", line)
		}
		if strings.HasPrefix(call, "sock_recv(") {
			of[thread]++
		}
	}
	if of[""] != 20 || of["[1"] != 20 {
		t.Errorf("calls of sock_recv by thread: %v", of)
	}
}

// lines is not safe for concurrent use, as a writer need not be.
type lines []string

func (l *lines) Write(b []byte) (int, error) {
	*l = append(*l, string(b))
	return len(b), nil
}

// TestThreadsShareNothing runs guests of one module at once: each has its own memory, descriptors
// and threads.
func TestThreadsShareNothing(t *testing.T) {
	again(t, func(t *testing.T) {
		var running sync.WaitGroup
		for i := range 10 {
			g := startThreads(t, "count", strconv.Itoa(i+1), "300")
			want := fmt.Sprintf("counted %d and %d", 300*(i+1), 300*(i+1))
			running.Go(func() {
				if got := g.line(); got != want {
					t.Errorf("it said %q, not %q", got, want)
				}
				g.ends(0)
			})
		}
		running.Wait()
	})
}

// TestThreadsRefused compiles modules that start threads and cannot have them.
func TestThreadsRefused(t *testing.T) {
	ctx := context.Background()
	wasm, err := threadguests.FS.ReadFile("join.wasm")
	if err != nil {
		t.Fatal(err)
	}
	rename := func(from, to string) []byte {
		if strings.Count(string(wasm), from) == 0 || len(from) != len(to) {
			t.Fatalf("%q cannot become %q", from, to)
		}
		return []byte(strings.Replace(string(wasm), from, to, 1))
	}
	const memory = "\x03env\x06memory\x02\x03\x02\x80\x08"
	for _, test := range []struct {
		name   string
		config wasport.RuntimeConfig
		wasm   []byte
		says   string
	}{
		{"not interrupted", wasport.RuntimeConfig{NoInterrupt: true}, wasm,
			"without being interrupted"},
		{"memory of its own", wasport.RuntimeConfig{},
			rename(memory, strings.Replace(memory, "\x02\x03", "\x02\x01", 1)), "--import-memory"},
		{"without a beginning", wasport.RuntimeConfig{},
			rename("\x11wasi_thread_start\x00", "\x11wasi_thread_other\x00"),
			"exports no wasi_thread_start(i32, i32)"},
	} {
		rt, err := wasport.NewRuntime(ctx, test.config)
		if err != nil {
			t.Fatal(err)
		}
		defer rt.Close(ctx)
		if _, err := rt.Compile(ctx, test.wasm, wasport.CompileConfig{}); err == nil ||
			!strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestThreadsInspect looks at a module with threads without running it.
func TestThreadsInspect(t *testing.T) {
	m := moduleOf(t, threadguests.FS, "echo")
	if !m.Threads() || module(t, "spin").Threads() {
		t.Error("which modules start threads?")
	}
	if i := slices.IndexFunc(m.Imports(),
		func(i wasport.Import) bool { return i.Name == "thread-spawn" }); i < 0 ||
		!m.Imports()[i].OK() {
		t.Errorf("imports: %v", m.Imports())
	}
	if mem, ok := m.Memory(); !ok || !mem.Shared || mem.Import != "env.memory" ||
		mem.Max != 64<<20 {
		t.Errorf("memory: %+v", mem)
	}
	if mem, _ := module(t, "spin").Memory(); mem.Shared {
		t.Error("a memory is shared that is not")
	}
}

// TestThreadMemory limits the memory that threads share.
func TestThreadMemory(t *testing.T) {
	c := wasport.Config{MaxMemory: 1 << 20, Policy: onLoopback(t)}
	// pages, of which it gets as many as there are beyond its first two
	g := startThreadsWith(t, context.Background(), c, "grow", "200")
	for {
		line := g.line()
		if line == "tick" {
			continue
		}
		if line != "grown 14" {
			t.Errorf("it said %q", line)
		}
		break
	}
	g.ends(0)

	c.MaxMemory = 64 << 10
	if _, err := moduleOf(t, threadguests.FS, "join").Run(context.Background(), c); err == nil ||
		!strings.Contains(err.Error(), "may have 65536") {
		t.Errorf("a guest with too little memory: %v", err)
	}
}

// TestThreadEach has a thread serve each connection, a thousand at once.
func TestThreadEach(t *testing.T) {
	const count = 1000
	again(t, func(t *testing.T) {
		c := wasport.Config{Policy: onLoopback(t), MaxThreads: count}
		g := startThreadsWith(t, context.Background(), c, "echo", strconv.Itoa(count))
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
	})
}

// TestThreadsPrint has threads print to stdout and stderr, which are one writer that is not safe
// for concurrent use. Lines stay whole; what several threads print may reach the writer in one
// call.
func TestThreadsPrint(t *testing.T) {
	again(t, func(t *testing.T) {
		var out bytes.Buffer
		c := wasport.Config{Stdout: &out, Stderr: &out, Args: []string{"print", "4", "50"}}
		if _, err := moduleOf(t, threadguests.FS, "print").Run(context.Background(),
			c); err != nil {
			t.Fatal(err)
		}
		count := make(map[string]int)
		for line := range strings.Lines(out.String()) {
			count[line]++
		}
		for thread := range 4 {
			if n := count[fmt.Sprintf("thread %d\n", thread)]; n != 50 {
				t.Errorf("got %d lines of thread %d, want 50", n, thread)
			}
		}
	})
}
