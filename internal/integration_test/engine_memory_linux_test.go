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

// TestSparse4GiBMemory starts guests with 4 GiB of memory, which touch three pages of it.
func TestSparse4GiBMemory(t *testing.T) {
	var sizes []int
	before := measureFootprint(t).resident
	took := timeRuns(t, "vast", wasport.Config{Random: readHook(func() {
		sizes = append(sizes,
			measureFootprint(t).resident-before)
	})})
	checkWithin(t, "start, three pages touched, end", 10, took)
	if size := slices.Min(sizes); size > 8<<20 {
		t.Errorf("a guest that touches three pages takes %d bytes", size)
	}
}

// TestEndlessRecursionMemoryIsBounded lets a guest call itself without end, and looks how much
// memory that has cost at its worst.
func TestEndlessRecursionMemoryIsBounded(t *testing.T) {
	const most = 48 << 20
	m := compileGuest(t, "recurse")
	debug.FreeOSMemory()
	before := measureFootprint(t).resident
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
	if took > most && canMeasure {
		t.Errorf("it took %d bytes of memory", took)
	}
}

// footprint is what a process takes of its host.
type footprint struct {
	resident, virtual                 int // bytes
	mappings, descriptors, goroutines int // actors are goroutines
}

func measureFootprint(t testing.TB) (f footprint) {
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
	f.goroutines = runtime.NumGoroutine()
	return f
}

// TestResourcesReturnAfterGuestsEnd starts many guests that hold a socket and wait, and ends them
// in all ways, again and again: what they took must come back.
func TestResourcesReturnAfterGuestsEnd(t *testing.T) {
	count, times := 100, 10
	if isFullRun() {
		count, times = 1000, 100
	}
	for range 3 {
		startAndStopGuests(t, count) // makes what stays: threads, stacks, pools
	}
	before := settledFootprint(t)
	for range times {
		startAndStopGuests(t, count)
	}
	after := settledFootprint(t)
	t.Logf("before %+v, after %+v", before, after)
	if d := after.resident - before.resident; d > 16<<20 && canMeasure {
		t.Errorf("%d guests have left %d bytes of resident memory behind", count*times, d)
	}
	// Go keeps the address space that its heap once had, by 64 MB at a time.
	if d := after.virtual - before.virtual; d > 1<<30 && canMeasure {
		t.Errorf("they have left %d bytes of address space behind", d)
	}
	if d := after.mappings - before.mappings; d > 64 && canMeasure {
		t.Errorf("they have left %d mappings behind", d)
	}
	if d := after.descriptors - before.descriptors; d > 0 {
		t.Errorf("they have left %d descriptors behind", d)
	}
	if d := after.goroutines - before.goroutines; d > 0 {
		t.Errorf("they have left %d goroutines behind:\n%s", d, goroutineStacks())
	}
}

// settledFootprint is what the process takes once everything is given back that can be.
func settledFootprint(t *testing.T) footprint {
	t.Helper()
	var f footprint
	for range 3 {
		runtime.Gosched()
		debug.FreeOSMemory()
		f = measureFootprint(t)
	}
	return f
}

// lineCounter counts the guests that have said something, which they do before they wait.
type lineCounter struct{ sync.WaitGroup }

func (c *lineCounter) Write(b []byte) (int, error) {
	for range bytes.Count(b, []byte("\n")) {
		c.Done()
	}
	return len(b), nil
}

func startAndStopGuests(t *testing.T, count int) {
	t.Helper()
	var waiting lineCounter
	waiting.Add(2 * count) // "listening" and "blocking"
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("enough")
	m := compileGuest(t, "block")
	c := wasport.Config{
		Args:   []string{"block", "accept"},
		Policy: loopbackPolicy(t),
		Stdout: &waiting,
	}
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
