package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport"
)

// TestVastMemory starts guests with 4 GiB of memory, which touch three pages of it.
func TestVastMemory(t *testing.T) {
	var sizes []int
	before := footprintOf(t).resident
	took := runs(t, "vast", wasport.Config{Random: hook(func() {
		sizes = append(sizes,
			footprintOf(t).resident-before)
	})})
	within(t, "start, three pages touched, end", 10, took)
	if size := slices.Min(sizes); size > 8<<20 {
		t.Errorf("a guest that touches three pages takes %d bytes", size)
	}
}

// TestRecursionIsBounded lets a guest call itself without end, and looks how much memory that has
// cost at its worst.
func TestRecursionIsBounded(t *testing.T) {
	const most = 48 << 20
	m := module(t, "recurse")
	debug.FreeOSMemory()
	before := footprintOf(t).resident
	// the peak starts anew
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skip(err)
	}
	var trap *wasport.Trap
	if _, err := m.Run(context.Background(), wasport.Config{}); !errors.As(err, &trap) ||
		trap.Reason != "stack overflow" {
		t.Fatalf("it ended with %v", err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	var peak int
	if _, err := fmt.Sscan(line, &peak); err != nil {
		t.Fatal(err)
	}
	took := peak<<10 - before
	t.Logf("%d KiB", took>>10)
	if took > most && measured {
		t.Errorf("it took %d bytes of memory", took)
	}
}

// footprint is what a process takes of its host.
type footprint struct {
	resident, virtual             int // bytes
	mappings, descriptors, actors int // actors are goroutines
}

func footprintOf(t testing.TB) (f footprint) {
	t.Helper()
	text := func(name string) string {
		b, err := os.ReadFile("/proc/self/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	pages := strings.Fields(text("statm"))
	for i, p := range []*int{&f.virtual, &f.resident} {
		n, err := strconv.Atoi(pages[i])
		if err != nil {
			t.Fatal(err)
		}
		*p = n * os.Getpagesize()
	}
	f.mappings = strings.Count(text("maps"), "\n")
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	f.descriptors = len(open)
	f.actors = runtime.NumGoroutine()
	return f
}

// TestComingAndGoing starts many guests that hold a socket and wait, and ends them in all ways,
// again and again: what they took must come back.
func TestComingAndGoing(t *testing.T) {
	count, times := 100, 10
	if whole() {
		count, times = 1000, 100
	}
	for range 3 {
		comeAndGo(t, count) // makes what stays: threads, stacks, pools
	}
	before := settled(t)
	for range times {
		comeAndGo(t, count)
	}
	after := settled(t)
	t.Logf("before %+v, after %+v", before, after)
	if d := after.resident - before.resident; d > 16<<20 && measured {
		t.Errorf("%d guests have left %d bytes of resident memory behind", count*times, d)
	}
	// Go keeps the address space that its heap once had, by 64 MB at a time.
	if d := after.virtual - before.virtual; d > 1<<30 && measured {
		t.Errorf("they have left %d bytes of address space behind", d)
	}
	if d := after.mappings - before.mappings; d > 64 && measured {
		t.Errorf("they have left %d mappings behind", d)
	}
	if d := after.descriptors - before.descriptors; d > 0 {
		t.Errorf("they have left %d descriptors behind", d)
	}
	if d := after.actors - before.actors; d > 0 {
		t.Errorf("they have left %d goroutines behind:\n%s", d, stacks())
	}
}

// settled is what the process takes once everything is given back that can be.
func settled(t *testing.T) footprint {
	t.Helper()
	var f footprint
	for range 3 {
		runtime.Gosched()
		debug.FreeOSMemory()
		f = footprintOf(t)
	}
	return f
}

// counting counts the guests that have said something, which they do before they wait.
type counting struct{ sync.WaitGroup }

func (c *counting) Write(b []byte) (int, error) {
	for range bytes.Count(b, []byte("\n")) {
		c.Done()
	}
	return len(b), nil
}

func comeAndGo(t *testing.T, count int) {
	t.Helper()
	var waiting counting
	waiting.Add(2 * count) // "listening" and "blocking"
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("enough")
	m := module(t, "block")
	c := wasport.Config{Args: []string{"block", "accept"}, Policy: onLoopback(t), Stdout: &waiting}
	all := make([]*wasport.Guest, count)
	for i := range all {
		var err error
		if all[i], err = m.Start(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	waiting.Wait()
	for _, g := range all[:count/2] {
		g.Stop(reason)
	}
	cancel(reason)
	for _, g := range all {
		if _, err := g.Wait(); err != reason {
			t.Fatalf("it ended with %v", err)
		}
	}
}
