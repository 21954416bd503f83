package integration_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
)

// TestEndlessRecursionMemoryIsBounded lets a guest call itself without end, and looks how much
// memory that has cost at its worst.
func TestEndlessRecursionMemoryIsBounded(t *testing.T) {
	const most, attempts = 48 << 20, 5
	m := compileGuest(t, "recurse")
	var took []int
	for len(took) == 0 || len(took) < attempts && slices.Min(took) > most {
		took = append(took, peakOfRecursion(t, m))
	}
	t.Logf("%d bytes", took)
	if least := slices.Min(took); least > most && canMeasure {
		t.Errorf("got %d bytes of memory, want at most %d", least, most)
	}
}

// peakOfRecursion returns the memory that a guest takes at its worst until its stack overflows.
func peakOfRecursion(t *testing.T, m *wasport.Module) int {
	t.Helper()
	debug.FreeOSMemory()
	before := measureFootprint(t).resident
	// the peak starts anew
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skip(err)
	}
	var trap *wasport.Trap
	if _, err := m.Run(context.Background(), wasport.Config{}); !errors.As(err, &trap) ||
		trap.Reason != "stack overflow" {
		t.Fatalf("got %v, want a stack overflow", err)
	}
	return int(processStatus(t, "VmHWM")) - before
}

// footprint is the resources that a process holds.
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
// in all ways, again and again. Every resource that they took must be given back. They have a
// network of their own: in that of the machine, another program may take the port of one of so many
// listeners for one that was closed, and connect to it.
func TestResourcesReturnAfterGuestsEnd(t *testing.T) {
	count, times := 100, 10
	if isFullRun() {
		count, times = 1000, 100
	}
	testutil.InNamespaces(t, unix.CLONE_NEWNET, nil, func(t *testing.T) {
		testutil.BringUp(t, "lo")
		checkResourcesReturn(t, count, times, compileGuest(t, "block"), "accept")
	})
}

// TestResourcesReturnAfterComponentsEnd does the same with components, a thousand at once.
func TestResourcesReturnAfterComponentsEnd(t *testing.T) {
	times := 2
	if isFullRun() {
		times = 20
	}
	testutil.InNamespaces(t, unix.CLONE_NEWNET, nil, func(t *testing.T) {
		testutil.BringUp(t, "lo")
		checkResourcesReturn(t, 1000, times, compileComponent(t, "block"), "accept", "127.0.0.1",
			"0")
	})
}

// checkResourcesReturn starts and ends so many guests at once, and that a number of times.
func checkResourcesReturn(t *testing.T, count, times int, m *wasport.Module, args ...string) {
	t.Helper()
	for range 3 {
		startAndStopGuests(t, count, m, args, nil, nil) // makes threads, stacks and pools that stay
	}
	before := settledFootprint(t)
	for range times {
		startAndStopGuests(t, count, m, args, nil, nil)
	}
	after := settledFootprint(t)
	// The end of a goroutine may come a little after that of its guest.
	for end := time.Now().Add(testTimeout); after.goroutines > before.goroutines &&
		time.Now().Before(end); {
		after = settledFootprint(t)
	}
	t.Logf("before %+v, after %+v", before, after)
	if d := after.resident - before.resident; d > 16<<20 && canMeasure {
		t.Errorf("after %d guests: got %d more resident bytes, want at most %d", count*times, d,
			16<<20)
	}
	// Go keeps the address space that its heap once had, by 64 MB at a time.
	if d := after.virtual - before.virtual; d > 1<<30 && canMeasure {
		t.Errorf("got %d more bytes of address space, want at most %d", d, 1<<30)
	}
	if d := after.mappings - before.mappings; d > 64 && canMeasure {
		t.Errorf("got %d more mappings, want at most 64", d)
	}
	// The scheduler opens a pipe when guests first saturate the processors, and keeps it.
	const pipe = 2
	if d := after.descriptors - before.descriptors; d > pipe {
		t.Errorf("got %d more descriptors, want at most %d", d, pipe)
	}
	if d := after.goroutines - before.goroutines; d > 0 {
		t.Errorf("got %d more goroutines, want none:\n%s", d, goroutineStacks())
	}
}

// settledFootprint is the footprint of the process after the garbage collector has returned all
// free memory.
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

// lineCounter counts down by each line that guests print, and then closes none. A guest prints
// before it waits.
type lineCounter struct {
	left atomic.Int64
	none chan struct{}
}

func (c *lineCounter) Write(b []byte) (int, error) {
	for range bytes.Count(b, []byte("\n")) {
		if c.left.Add(-1) == 0 {
			close(c.none)
		}
	}
	return len(b), nil
}

// TestIdleGuestsHaveOneStackEach has guests wait. Each of them may have one goroutine, whose stack
// is the smallest in which a call has room, 8 KiB: wazero needs 2.3 KiB of it. A component that has
// got a list from the host had a call within a call, which takes the next size.
func TestIdleGuestsHaveOneStackEach(t *testing.T) {
	const count = 200
	for _, test := range []struct {
		name   string
		module *wasport.Module
		args   []string
		stack  int
	}{
		{"module", compileGuest(t, "block"), []string{"accept"}, 8 << 10},
		{"component", compileComponent(t, "block"), []string{"accept", "127.0.0.1", "0"}, 16 << 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			startAndStopGuests(t, 1, test.module, test.args, nil, nil) // makes what all share
			var before, idle runtime.MemStats
			settledFootprint(t)
			runtime.ReadMemStats(&before)
			goroutines := runtime.NumGoroutine()
			startAndStopGuests(t, count, test.module, test.args, nil, func() {
				settledFootprint(t)
				runtime.ReadMemStats(&idle)
				if d := runtime.NumGoroutine() - goroutines; d > count+10 {
					t.Errorf("got %d goroutines of %d guests, want one each", d, count)
				}
			})
			d := (int(idle.StackInuse) - int(before.StackInuse)) / count
			// Go keeps free stacks of the sizes that they had before, beside ones in use.
			if most := test.stack * 3 / 2; d > most && canMeasure && !interpreted() {
				t.Errorf("got %d bytes of stack for each guest, want at most %d", d, most)
			}
		})
	}
}

// startAndStopGuests has so many guests wait at once, and calls idle unless that is nil. Then it
// ends a few at a time, half of them by Stop and half by their context: a guest that is ended has
// two seconds for the way out, which a thousand at once may not find on a busy machine.
func startAndStopGuests(
	t *testing.T, count int, m *wasport.Module, args, without []string, idle func(),
) {
	t.Helper()
	const ending = 20
	waiting := lineCounter{none: make(chan struct{})}
	waiting.left.Store(int64(2 * count)) // "listening" and "blocking"
	reason := errors.New("enough")
	c := wasport.Config{
		Args:    append([]string{"block"}, args...),
		Policy:  loopbackPolicy(t),
		Stdout:  &waiting,
		Without: without,
	}
	ends := make([]func(), count)
	all := make([]*wasport.Guest, count)
	for first := 0; first < count; first += ending {
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		for i := first; i < min(first+ending, count); i++ {
			g, err := m.Start(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			all[i], ends[i] = g, func() { g.Stop(reason) }
			if i >= first+ending/2 {
				ends[i] = func() { cancel(reason) }
			}
		}
	}
	<-waiting.none
	if idle != nil {
		idle()
	}
	for first := 0; first < count; first += ending {
		last := min(first+ending, count)
		for _, end := range ends[first:last] {
			end()
		}
		for _, g := range all[first:last] {
			if _, err := g.Wait(); err != reason {
				t.Fatalf("got %v, want %v", err, reason)
			}
		}
	}
}

// TestIdleGuestsSharePageTables has guests wait, with memory slots and without, and counts the
// kernel's page tables. A memory with a range of its own takes at least one, of a page.
func TestIdleGuestsSharePageTables(t *testing.T) {
	const count = 500
	m, args := compileGuest(t, "block"), []string{"accept"}
	for _, without := range [][]string{{}, {"memory-slots"}} {
		startAndStopGuests(t, 1, m, args, without, nil) // makes things that all share
		settledFootprint(t)
		before := pageTables(t)
		startAndStopGuests(t, count, m, args, without, func() {
			settledFootprint(t)
			each := (pageTables(t) - before) / count
			t.Logf("without %v: %d bytes of page tables for each guest", without, each)
			shared := each <= os.Getpagesize()*7/8
			if shared != (len(without) == 0) && canMeasure {
				t.Errorf("without %v: got %d bytes of page tables for each guest", without, each)
			}
		})
	}
}

// pageTables returns the size of the process's page tables in bytes.
func pageTables(t *testing.T) int {
	t.Helper()
	return int(processStatus(t, "VmPTE"))
}
