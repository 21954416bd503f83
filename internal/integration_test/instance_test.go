package integration_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/policy"
)

// newInstance makes an instance that is closed at the end of the test.
func newInstance(t testing.TB, m *wasport.Module, c wasport.Config) *wasport.Instance {
	t.Helper()
	i, err := m.Instantiate(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

// mustCall calls a function that must succeed, and returns its first result.
func mustCall(t testing.TB, i *wasport.Instance, name string, args ...uint64) uint64 {
	t.Helper()
	results, err := i.Call(context.Background(), name, args...)
	if err != nil {
		t.Fatalf("%s: got %v, want no error", name, err)
	}
	if len(results) == 0 {
		return 0
	}
	return results[0]
}

// instanceRuntimes are the ways to run an instance.
var instanceRuntimes = map[string]wasport.RuntimeConfig{
	"rewritten": {}, "not rewritten": {NoInterrupt: true}, "interpreted": {Interpreter: true},
}

func TestInstanceKeepsItsState(t *testing.T) {
	ctx := context.Background()
	for name, c := range instanceRuntimes {
		t.Run(name, func(t *testing.T) {
			r, err := wasport.NewRuntime(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close(ctx)
			m, err := r.Compile(ctx, testdata(t, "instance"), wasport.CompileConfig{})
			if err != nil {
				t.Fatal(err)
			}
			i := newInstance(t, m, wasport.Config{})
			defer i.Close()
			for n := range uint64(3) {
				if got := mustCall(t, i, "count"); got != n+1 {
					t.Errorf("got %d calls counted, want %d", got, n+1)
				}
				if got := mustCall(t, i, "started"); got != 1 {
					t.Errorf("got _initialize called %d times, want once", got)
				}
				if e := mustCall(t, i, "open"); e != 0 || i.Counters().OpenSockets != int(n)+1 {
					t.Errorf("got errno %d and %+v, want %d open sockets", e, i.Counters(), n+1)
				}
			}
			if got := mustCall(t, i, "add", math.MaxUint32, 1); got != 1<<32 {
				t.Errorf("got %d, want 1<<32", got)
			}
			two, err := i.Call(ctx, "two", api.EncodeF64(1.5))
			if err != nil || !slices.Equal(two, []uint64{api.EncodeF64(1.5), 7}) {
				t.Errorf("got %v, %v; want 1.5 and 7", two, err)
			}
			if err := i.Memory().Write(32, []byte("HELLO")); err != nil {
				t.Error(err)
			}
			if b, err := i.Memory().Read(32, 6); string(b) != "HELLO\n" || err != nil {
				t.Errorf("got %q, %v; want what was written", b, err)
			}
			if err := i.Close(); err != nil {
				t.Errorf("got %v from Close, want nil", err)
			}
		})
	}
}

// TestInstantiateRefuses has Instantiate fail, and the next one succeed.
func TestInstantiateRefuses(t *testing.T) {
	ended, cancel := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	cancel(why)
	late, cancelLate := context.WithTimeoutCause(context.Background(), 20*time.Millisecond, why)
	defer cancelLate()
	spins := moduleWithStart("\x03\x40\x0c\x00\x0b")
	for _, test := range []struct {
		name string
		ctx  context.Context
		wasm []byte
		c    wasport.Config
		want string
	}{
		{"function", nil, testdata(t, "instance"), wasport.Config{Function: "count"},
			"Instance.Call"},
		{"parameters", nil, testdata(t, "instance"), wasport.Config{Params: []uint64{1}},
			"Instance.Call"},
		{"ended context", ended, testdata(t, "instance"), wasport.Config{}, "enough"},
		{"start function that loops", late, spins, wasport.Config{}, "enough"},
		{"start function that traps", nil, moduleWithStart("\x00"), wasport.Config{},
			"unreachable"},
		{"too little memory", nil, testdata(t, "instance"), wasport.Config{MaxMemory: 1},
			"may have 1"},
		{"nil socket", nil, testdata(t, "instance"), wasport.Config{Sockets: []syscall.Conn{nil}},
			"Sockets[0] is nil"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := compileModule(t, test.wasm)
			ctx := test.ctx
			if ctx == nil {
				ctx = context.Background()
			}
			i, err := m.Instantiate(ctx, test.c)
			if i != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// moduleWithStart is a module with a start function.
func moduleWithStart(code string) []byte {
	body := "\x00" + code + "\x0b" // no locals
	function := string([]byte{1, byte(len(body))}) + body
	return []byte("\x00asm\x01\x00\x00\x00" + "\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" +
		"\x08\x01\x00" + string([]byte{10, byte(len(function))}) + function)
}

// TestCallThatCannotBeMade makes calls that fail without ending the instance.
func TestCallThatCannotBeMade(t *testing.T) {
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	for _, test := range []struct {
		name, want string
		args       []uint64
	}{
		{"missing", `exports no function "missing"`, nil},
		{"memory", `exports no function "memory"`, nil},
		{"", `exports no function`, nil},
		{"add\n", `exports no function "add\n"`, nil},
		{"add", "takes 2 arguments, not 0", nil},
		{"add", "takes 2 arguments, not 3", []uint64{1, 2, 3}},
		{"vector", "not numbers", []uint64{1, 2}},
		{"reference", "not numbers", []uint64{0xdead}},
	} {
		for range 2 * 16 { // more often than stacks are kept
			_, err := i.Call(context.Background(), test.name, test.args...)
			if err == nil || !strings.Contains(err.Error(), test.want) || i.Err() != nil {
				t.Fatalf("%q: got %v and the instance's %v, want %q and nil", test.name, err,
					i.Err(), test.want)
			}
		}
	}
	if got := mustCall(t, i, "count"); got != 1 {
		t.Errorf("got %d, want 1", got)
	}
}

// TestInstanceEnds ends instances in each way, and calls them again.
func TestInstanceEnds(t *testing.T) {
	why := errors.New("enough")
	is := func(want error) func(error) bool {
		return func(err error) bool { return errors.Is(err, want) }
	}
	exits := func(code uint32) func(error) bool {
		return func(err error) bool {
			var exit *wasport.ExitError
			return errors.As(err, &exit) && exit.Code == code
		}
	}
	call := func(name string, args ...uint64) func(*wasport.Instance) error {
		return func(i *wasport.Instance) error {
			_, err := i.Call(context.Background(), name, args...)
			return err
		}
	}
	for _, test := range []struct {
		name    string
		end     func(*wasport.Instance) error
		want    func(error) bool
		waiting bool // whether Wait returns the error
	}{
		{"trap", call("trap"), func(err error) bool {
			var trap *wasport.Trap
			return errors.As(err, &trap) && trap.Reason == "unreachable" && trap.Stack != ""
		}, true},
		{"stack overflow", call("deep", 1<<31), func(err error) bool {
			return strings.Contains(err.Error(), "stack overflow")
		}, true},
		{"exit 0", call("exit", 0), exits(0), false},
		{"exit 7", call("exit", 7), exits(7), false},
		{"processor time", call("spin"), is(wasport.ErrCPU), true},
		{"Stop", func(i *wasport.Instance) error { i.Stop(why); return i.Err() }, is(why), true},
		{"Stop during a call", func(i *wasport.Instance) error {
			time.AfterFunc(time.Millisecond, func() { i.Stop(why) })
			return call("nap")(i)
		}, is(why), true},
		{"Close", func(i *wasport.Instance) error { i.Close(); return i.Err() },
			is(wasport.ErrClosed), false},
		{"Close during a call", func(i *wasport.Instance) error {
			time.AfterFunc(time.Millisecond, func() { i.Close() })
			return call("nap")(i)
		}, is(wasport.ErrClosed), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newInstance(t, compileTestdata(t, "instance"),
				wasport.Config{MaxCPU: 50 * time.Millisecond})
			mustCall(t, i, "open")
			if err := test.end(i); err == nil || !test.want(err) {
				t.Fatalf("got %v from the end, want another", err)
			}
			for range 2 {
				_, err := i.Call(context.Background(), "count")
				var ended *wasport.EndedError
				if !errors.As(err, &ended) || !test.want(err) || !test.want(i.Err()) {
					t.Errorf("got %v, then %v; want an EndedError with the reason", err, i.Err())
				}
			}
			err := i.Do(context.Background(), func(context.Context) error { return nil })
			if !test.want(err) {
				t.Errorf("got %v from Do, want the reason", err)
			}
			if _, err := i.Wait(); (err != nil) != test.waiting || test.waiting && !test.want(err) {
				t.Errorf("got %v from Wait", err)
			}
			if n := i.Counters().OpenSockets; n != 0 {
				t.Errorf("got %d open sockets, want none", n)
			}
			if _, err := i.Memory().Read(0, 1); err == nil || i.Memory().Size() != 0 {
				t.Errorf("got %v and a memory of %d bytes, want an error and none", err,
					i.Memory().Size())
			}
		})
	}
}

// blockedConfig is a configuration in which every call of the guest that can wait does, until
// release is called.
func blockedConfig(t *testing.T) (c wasport.Config, release func()) {
	hold := make(chan struct{})
	read := readFunc(func([]byte) (int, error) { <-hold; return 0, io.EOF })
	write := writeFunc(func(b []byte) (int, error) { <-hold; return len(b), nil })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return wasport.Config{Stdin: read, Stdout: write,
		Sockets: []syscall.Conn{l.(*net.TCPListener)},
		Policy:  testutil.Policy(t, "allow resolve *.test"),
		Network: fakeNetwork(func() { <-hold })}, func() { close(hold) }
}

// TestCancelledCallLeavesInstance cancels calls of guests that wait in each way.
func TestCancelledCallLeavesInstance(t *testing.T) {
	const ecanceled = 11
	why := errors.New("enough")
	m := compileTestdata(t, "instance")
	c, release := blockedConfig(t)
	defer release()
	i := newInstance(t, m, c)
	for _, name := range []string{"nap", "read", "accept", "resolve", "write"} {
		t.Run(name, func(t *testing.T) {
			for _, wait := range []time.Duration{0, 10 * time.Millisecond} {
				ctx, cancel := context.WithTimeoutCause(context.Background(), wait, why)
				results, err := i.Call(ctx, name)
				cancel()
				if err != why || results != nil || i.Err() != nil {
					t.Fatalf("after %v: got %v, %v and the instance's %v, want %v and nil", wait,
						results, err, i.Err(), why)
				}
			}
			if e := mustCall(t, i, "errno"); e != ecanceled {
				t.Errorf("got errno %d in the guest, want ECANCELED", e)
			}
		})
	}
	// The time of a guest that is about to return is not up yet.
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond, why)
	defer cancel()
	if _, err := i.Call(ctx, "sleep_and_compute", 10_000); err != why || i.Err() != nil {
		t.Errorf("got %v and the instance's %v, want %v and nil", err, i.Err(), why)
	}
}

// TestCancelledCallEndsInstance cancels calls of guests that do not return.
func TestCancelledCallEndsInstance(t *testing.T) {
	why := errors.New("enough")
	m := compileTestdata(t, "instance")
	for _, name := range []string{"spin", "sleep_for_ever"} {
		t.Run(name, func(t *testing.T) {
			i := newInstance(t, m, wasport.Config{})
			ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond, why)
			defer cancel()
			_, err := i.Call(ctx, name)
			var interrupted *wasport.InterruptedError
			if !errors.As(err, &interrupted) || !errors.Is(err, why) {
				t.Errorf("got %v, want an InterruptedError with %v", err, why)
			}
			var ended *wasport.EndedError
			_, err = i.Call(context.Background(), "count")
			if !errors.As(err, &ended) || !errors.As(err, &interrupted) || !errors.Is(err, why) {
				t.Errorf("got %v, want an EndedError with the InterruptedError", err)
			}
		})
	}
}

// TestCallsTakeTurns calls an instance while another call is under way.
func TestCallsTakeTurns(t *testing.T) {
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	var first sync.WaitGroup
	inTurn, leave := make(chan struct{}), make(chan struct{})
	first.Go(func() {
		err := i.Do(ctx, func(ctx context.Context) error {
			close(inTurn)
			<-leave
			_, err := i.Call(ctx, "count")
			return errors.Join(err, i.Do(ctx, func(ctx context.Context) error {
				_, err := i.Call(ctx, "count")
				return err
			}))
		})
		if err != nil {
			t.Errorf("got %v from the first, want nil", err)
		}
	})
	<-inTurn
	why := errors.New("enough")
	late, cancelLate := context.WithTimeoutCause(context.Background(), time.Millisecond, why)
	defer cancelLate()
	if _, err := i.Call(late, "count"); err != why || i.Err() != nil {
		t.Errorf("got %v from one that waits, want %v and the instance alive", err, why)
	}
	var second sync.WaitGroup
	second.Go(func() {
		if got, err := i.Call(context.Background(), "count"); err != nil || got[0] != 3 {
			t.Errorf("got %v, %v from the second; want 3", got, err)
		}
	})
	close(leave)
	first.Wait()
	second.Wait()
	cancel()
}

// TestCallsByManyGoroutines calls, reads, stops and closes an instance at once.
func TestCallsByManyGoroutines(t *testing.T) {
	m := compileTestdata(t, "instance")
	for _, end := range []func(*wasport.Instance){
		func(i *wasport.Instance) { i.Close() },
		func(i *wasport.Instance) { i.Stop(nil); i.Wait() },
		func(i *wasport.Instance) { i.Call(context.Background(), "trap") },
	} {
		i := newInstance(t, m, wasport.Config{})
		var counted, ends atomic.Uint64
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for {
					ctx, cancel := context.WithTimeout(context.Background(), time.Second)
					_, err := i.Call(ctx, "count")
					cancel()
					i.Memory().Write(uint64(n), []byte{1})
					i.Memory().Read(0, 64)
					i.Call(context.Background(), "grow", 1)
					if err != nil {
						return
					}
					counted.Add(1)
				}
			})
			all.Go(func() {
				waitUntil(t, "calls are made", func() bool { return counted.Load() > 100 })
				end(i)
				ends.Add(1)
			})
		}
		all.Wait()
		if ends.Load() != 8 || i.Err() == nil {
			t.Errorf("got %d ends and %v, want 8 and an error", ends.Load(), i.Err())
		}
	}
}

// TestManyFunctionsWithinMemoryLimit calls more functions than keep their stacks, with deep stacks,
// in an instance with little memory.
func TestManyFunctionsWithinMemoryLimit(t *testing.T) {
	var limits []string
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{
		MaxMemory: 1 << 20, OnLimit: func(name string, _ int) { limits = append(limits, name) },
	})
	if n := mustCall(t, i, "grow", 100); n != math.MaxUint32 || !slices.Contains(limits, "memory") {
		t.Errorf("got %#x and limits %q, want a growth that is refused", n, limits)
	}
	names := []string{"empty", "count", "started", "errno", "open", "malloc", "deep", "grow"}
	for depth := uint64(1); depth < 5_000; depth *= 4 {
		if got := mustCall(t, i, "deep", depth); got != depth {
			t.Errorf("got %d, want %d", got, depth)
		}
		for _, name := range names {
			i.Call(context.Background(), name)
			i.Call(context.Background(), name, 0)
		}
	}
	if i.Err() != nil {
		t.Errorf("got %v, want an instance that lives", i.Err())
	}
}

// TestMemoryIsChecked reads and writes at every edge of a memory that grows in between.
func TestMemoryIsChecked(t *testing.T) {
	const page = 1 << 16
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	for pages := uint64(1); pages <= 3; pages++ {
		size := pages * page
		if got := i.Memory().Size(); got != size {
			t.Fatalf("got a size of %d, want %d", got, size)
		}
		for _, test := range []struct {
			offset, length uint64
			want           bool
		}{
			{0, 0, true}, {size, 0, true}, {size - 1, 1, true}, {0, size, true},
			{size, 1, false}, {size + 1, 0, false}, {size - 1, 2, false}, {1, size, false},
			{0, math.MaxUint64, false}, {math.MaxUint64, 1, false}, {math.MaxUint64, 0, false},
			{1 << 32, 1, false}, {1 << 63, 1 << 63, false}, {16, math.MaxUint64 - 8, false},
		} {
			b, err := i.Memory().Read(test.offset, test.length)
			var invalid *wasport.RangeError
			if (err == nil) != test.want || err != nil && !errors.As(err, &invalid) ||
				test.want && uint64(len(b)) != test.length {
				t.Errorf("read %d at %d: got %d bytes, %v; want them: %v", test.length, test.offset,
					len(b), err, test.want)
			}
			if test.length > 4*page {
				continue
			}
			data := bytes.Repeat([]byte{byte(pages)}, int(test.length))
			err = i.Memory().Write(test.offset, data)
			into := make([]byte, len(data))
			intoErr := i.Memory().ReadInto(into, test.offset)
			if (err == nil) != test.want || (intoErr == nil) != test.want ||
				test.want && !bytes.Equal(into, data) {
				t.Errorf("write %d at %d: got %v, %v; want no error: %v", test.length, test.offset,
					err, intoErr, test.want)
			}
		}
		if old := mustCall(t, i, "grow", 1); old != pages {
			t.Errorf("got %d pages before the growth, want %d", old, pages)
		}
	}
	none := newInstance(t, compileModule(t, moduleWithStart("")), wasport.Config{})
	if _, err := none.Memory().Read(0, 0); err == nil || none.Memory().Size() != 0 {
		t.Errorf("got %v without a memory, want an error", err)
	}
}

func TestMallocIsChecked(t *testing.T) {
	ctx := context.Background()
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	for _, name := range []string{"", "malloc"} {
		at, err := i.Malloc(ctx, name, []byte("data"))
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := i.Memory().Read(at, 4); string(b) != "data" {
			t.Errorf("got %q, want what was allocated", b)
		}
		for _, name := range []string{"", "free", "dealloc"} {
			if err := i.Free(ctx, name, at, 4); err != nil {
				t.Error(err)
			}
		}
	}
	big := make([]byte, 1<<17)
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"malloc_none", []byte("data"), "returned 0"},
		{"malloc_outside", []byte("0123456789"), "not within"},
		{"malloc_nothing", []byte("data"), "returns no address"},
		{"malloc", big, "do not fit"},
		{"missing", []byte("data"), "exports no function"},
	} {
		_, err := i.Malloc(ctx, test.name, test.data)
		if err == nil || !strings.Contains(err.Error(), test.want) || i.Err() != nil {
			t.Errorf("%s: got %v, want an error with %q", test.name, err, test.want)
		}
	}
	if at, err := i.Malloc(ctx, "", nil); err != nil {
		t.Errorf("nothing: got %v, %v; want no error", at, err)
	}
}

// TestPolicyOfInstanceChanges changes the policy between calls, and counts for all calls.
func TestPolicyOfInstanceChanges(t *testing.T) {
	var refused int
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{
		Name: "plug-in", Network: fakeNetwork(func() {}),
		OnRefusal: func(*policy.Refusal) { refused++ },
	})
	mustCall(t, i, "resolve")
	allowed := testutil.Policy(t, "allow resolve *.test")
	i.SetPolicy(allowed)
	mustCall(t, i, "resolve")
	c := i.Counters()
	if refused != 1 || c.Denied[policy.OpResolve] != 1 || c.Lookups != 1 {
		t.Errorf("got %d refusals and %+v, want one and one lookup", refused, c)
	}
	if i.Policy() != allowed || i.Name() != "plug-in" {
		t.Errorf("got %q with %v, want its name and policy", i.Name(), i.Policy())
	}
}

func TestCallDoesNotAllocate(t *testing.T) {
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, ctx := range map[string]context.Context{
		"background": context.Background(), "cancellable": cancellable,
	} {
		if n := testing.AllocsPerRun(1000, func() { i.Call(ctx, "empty") }); n != 0 {
			t.Errorf("%s: got %v allocations, want none", name, n)
		}
	}
}
