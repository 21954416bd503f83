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
	return startThreadsWith(
		t,
		context.Background(),
		wasport.Config{Policy: loopbackPolicy(t)},
		name,
		args...)
}

func startThreadsWith(t testing.TB, ctx context.Context, c wasport.Config, name string,
	args ...string) *guest {
	t.Helper()
	return startModule(t, ctx, c, compileEmbedded(t, threadguests.FS, name), name, args...)
}

// repeatTest runs a test three times, or a hundred times if WASPORT_CI is set, since races seldom
// show the first time.
func repeatTest(t *testing.T, f func(t *testing.T)) {
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

func TestThreadsStartAndJoin(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		g := startThreads(t, "join", "50")
		if got := g.readLine(); !strings.HasPrefix(got, "joined 50, sum 1275, id ") {
			t.Errorf(`got %q, want "joined 50, sum 1275"`, got)
		}
		g.waitExit(0)
	})
}

// TestThreadIDsBeyondMaxThreads lets more threads follow one another than there may be at once.
func TestThreadIDsBeyondMaxThreads(t *testing.T) {
	c := wasport.Config{MaxThreads: 1}
	g := startThreadsWith(t, context.Background(), c, "join", "1000")
	var joined, sum, id int
	if _, err := fmt.Sscanf(g.readLine(), "joined %d, sum %d, id %d", &joined, &sum,
		&id); err != nil ||
		id < 1000 {
		t.Errorf("got %d joined, last thread id %d, %v, want an id of at least 1000", joined, id,
			err)
	}
	g.waitExit(0)
}

func TestThreadsIncrementSharedCounters(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		g := startThreads(t, "count", "8", "500")
		g.expectLines("counted 4000 and 4000")
		g.waitExit(0)
	})
}

func TestAtomicWaitResultsAndTraps(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		g := startThreads(t, "waits", "results")
		g.expectLines("ok")
		g.waitExit(0)
	})
	for call, reason := range map[string]string{
		"unaligned32": "unaligned atomic", "unaligned64": "unaligned atomic",
		"unalignedN": "unaligned atomic",
		"beyond32":   "out of bounds memory access", "beyond64": "out of bounds memory access",
		"beyondN": "out of bounds memory access",
		"offset":  "out of bounds memory access",
	} {
		t.Run(call, func(t *testing.T) {
			trap := waitTrap(t, startThreads(t, "waits", call))
			if trap.Reason != reason || !strings.Contains(trap.Stack, "program") {
				t.Errorf("got %v, want reason %q and a stack with names:\n%s", trap, reason,
					trap.Stack)
			}
		})
	}
}

func waitTrap(t testing.TB, g *guest) *wasport.Trap {
	t.Helper()
	_, err := g.handle.Wait()
	trap, ok := err.(*wasport.Trap)
	if !ok {
		t.Fatalf("got %v, want a trap; stderr: %s", err, g.stderr)
	}
	return trap
}

func TestMaxThreadsIsReached(t *testing.T) {
	for _, test := range []struct{ maxThreads, started int }{{0, 64}, {1, 1}, {7, 7}, {200, 200},
		{-1, 0}} {
		t.Run(fmt.Sprint(test.maxThreads), func(t *testing.T) {
			repeatTest(t, func(t *testing.T) {
				g := startThreadsWith(t, context.Background(),
					wasport.Config{MaxThreads: test.maxThreads}, "limit")
				for range 2 {
					g.expectLines("started " + strconv.Itoa(test.started))
					if test.started > 0 {
						g.expectLines("another")
					}
					g.expectLines("ended")
				}
				g.waitExit(0)
			})
		})
	}
}

// TestTraceOfSeveralThreads traces several threads into one writer. Lines stay whole and name their
// thread.
func TestTraceOfSeveralThreads(t *testing.T) {
	var trace traceLines
	g := startThreadsWith(t, context.Background(),
		wasport.Config{Policy: loopbackPolicy(t), Trace: &trace}, "pair", "pingpong", "20")
	g.readLine()
	g.waitExit(0)
	of := make(map[string]int)
	for _, line := range trace {
		thread, call, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "] ")
		if !ok {
			thread, call = "", thread
		}
		if !strings.HasSuffix(call, ">") || strings.Count(call, "\n") > 0 ||
			strings.Count(call, " = ") != 1 {
			t.Errorf("got %q, want one line of one call", line)
		}
		if strings.HasPrefix(call, "sock_recv(") {
			of[thread]++
		}
	}
	if of[""] != 20 || of["[1"] != 20 {
		t.Errorf("got %v calls of sock_recv by thread, want 20 of each", of)
	}
}

// traceLines is not safe for concurrent use, as a writer need not be.
type traceLines []string

func (l *traceLines) Write(b []byte) (int, error) {
	*l = append(*l, string(b))
	return len(b), nil
}

// TestThreadsOfSeveralGuestsShareNothing runs guests of one module at once: each has its own
// memory, descriptors and threads.
func TestThreadsOfSeveralGuestsShareNothing(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		var running sync.WaitGroup
		for i := range 10 {
			g := startThreads(t, "count", strconv.Itoa(i+1), "300")
			want := fmt.Sprintf("counted %d and %d", 300*(i+1), 300*(i+1))
			running.Go(func() {
				if got := g.readLine(); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				g.waitExit(0)
			})
		}
		running.Wait()
	})
}

// TestCompileRefusesUnusableThreads compiles modules that start threads and cannot have them.
func TestCompileRefusesUnusableThreads(t *testing.T) {
	ctx := context.Background()
	wasm, err := threadguests.FS.ReadFile("join.wasm")
	if err != nil {
		t.Fatal(err)
	}
	rename := func(from, to string) []byte {
		if strings.Count(string(wasm), from) == 0 || len(from) != len(to) {
			t.Fatalf("got no %q in the module, want one to replace by %q", from, to)
		}
		return []byte(strings.Replace(string(wasm), from, to, 1))
	}
	const memory = "\x03env\x06memory\x02\x03\x02\x80\x08"
	for _, test := range []struct {
		name   string
		config wasport.RuntimeConfig
		wasm   []byte
		want   string
	}{
		{"not interrupted", wasport.RuntimeConfig{NoInterrupt: true}, wasm,
			"without being interrupted"},
		{"memory of its own", wasport.RuntimeConfig{},
			rename(memory, strings.Replace(memory, "\x02\x03", "\x02\x01", 1)), "--import-memory"},
		{"without a beginning", wasport.RuntimeConfig{},
			rename("\x11wasi_thread_start\x00", "\x11wasi_thread_other\x00"),
			"exports no wasi_thread_start(i32, i32)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rt, err := wasport.NewRuntime(ctx, test.config)
			if err != nil {
				t.Fatal(err)
			}
			defer rt.Close(ctx)
			if _, err := rt.Compile(ctx, test.wasm, wasport.CompileConfig{}); err == nil ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// TestInspectModuleWithThreads looks at a module with threads without running it.
func TestInspectModuleWithThreads(t *testing.T) {
	m := compileEmbedded(t, threadguests.FS, "echo")
	if !m.Threads() || compileGuest(t, "spin").Threads() {
		t.Error("got the wrong answer, want that echo starts threads and spin does not")
	}
	if i := slices.IndexFunc(m.Imports(),
		func(i wasport.Import) bool { return i.Name == "thread-spawn" }); i < 0 ||
		!m.Imports()[i].OK() {
		t.Errorf("got %v, want an import thread-spawn that is provided", m.Imports())
	}
	if mem, ok := m.Memory(); !ok || !mem.Shared || mem.Import != "env.memory" ||
		mem.Max != 64<<20 {
		t.Errorf("got %+v, want env.memory, shared, of at most 64 MiB", mem)
	}
	if mem, _ := compileGuest(t, "spin").Memory(); mem.Shared {
		t.Error("got a shared memory for spin, want its own")
	}
}

// TestMaxMemoryOfThreads limits the memory that threads share.
func TestMaxMemoryOfThreads(t *testing.T) {
	c := wasport.Config{MaxMemory: 1 << 20, Policy: loopbackPolicy(t)}
	// pages, of which it gets as many as there are beyond its first two
	g := startThreadsWith(t, context.Background(), c, "grow", "200")
	for {
		line := g.readLine()
		if line == "tick" {
			continue
		}
		if line != "grown 14" {
			t.Errorf(`got %q, want "grown 14"`, line)
		}
		break
	}
	g.waitExit(0)

	c.MaxMemory = 64 << 10
	if _, err := compileEmbedded(t, threadguests.FS, "join").Run(context.Background(),
		c); err == nil ||
		!strings.Contains(err.Error(), "may have 65536") {
		t.Errorf("with too little memory: got %v, want an error that names the limit", err)
	}
}

// TestThreadPerConnection has a thread serve each connection, a thousand at once.
func TestThreadPerConnection(t *testing.T) {
	const count = 1000
	repeatTest(t, func(t *testing.T) {
		c := wasport.Config{Policy: loopbackPolicy(t), MaxThreads: count}
		g := startThreadsWith(t, context.Background(), c, "echo", strconv.Itoa(count))
		at := g.readListenAddr()
		conns := make([]net.Conn, count)
		var talking sync.WaitGroup
		for i := range conns {
			conns[i] = dialGuest(t, at)
			writeText(t, conns[i], "hello")
		}
		for i, c := range conns {
			talking.Go(func() {
				expectText(t, c, "hello")
				for round := range 3 {
					text := fmt.Sprintf("connection %d round %d", i, round)
					writeText(t, c, text)
					expectText(t, c, text)
				}
			})
		}
		talking.Wait()
		for _, c := range conns {
			c.Close()
		}
		g.expectLines(fmt.Sprintf("served %d, %d at once", count, count))
		g.waitExit(0)
	})
}

// TestThreadsPrintWholeLines has threads print to stdout and stderr, which are one writer that is
// not safe for concurrent use. Lines stay whole; one Write may carry the lines of several threads.
func TestThreadsPrintWholeLines(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		var out bytes.Buffer
		c := wasport.Config{Stdout: &out, Stderr: &out, Args: []string{"print", "4", "50"}}
		if _, err := compileEmbedded(t, threadguests.FS, "print").Run(context.Background(),
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
