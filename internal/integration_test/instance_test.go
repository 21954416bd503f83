package integration_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// TestInstanceKeepsItsFiles reads on from a file in a later call than the one that opened it.
func TestInstanceKeepsItsFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "name"), []byte("first second"), 0o600); err != nil {
		t.Fatal(err)
	}
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{
		Dirs: []wasport.Dir{{Host: dir, Guest: "/", ReadOnly: true}}})
	fd := mustCall(t, i, "open_file")
	for _, want := range []string{"first ", "second"} {
		mustCall(t, i, "take", fd)
		if got, err := i.Memory().Read(32, 6); string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
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
			var c wasport.Config
			if test.name == "processor time" {
				c.MaxCPU = 50 * time.Millisecond
			}
			i := newInstance(t, compileTestdata(t, "instance"), c)
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

// TestNarrowArguments passes 32-bit arguments with bits in the upper half, which are left out.
func TestNarrowArguments(t *testing.T) {
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	if got := mustCall(t, i, "malloc", 1<<40|8); got >= 1<<32 {
		t.Errorf("malloc: got %#x, want a 32-bit address", got)
	}
	const want uint64 = 1<<40 | 3
	if got := mustCall(t, i, "add", 1<<40|1, 1<<40|2); got != want {
		t.Errorf("add: got %#x, want %#x", got, want)
	}
}

func TestCallDoesNotAllocate(t *testing.T) {
	most := 0.0
	if interpreted() {
		most = 1 // wazero's own
	}
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, ctx := range map[string]context.Context{
		"background": context.Background(), "cancellable": cancellable,
	} {
		if n := testing.AllocsPerRun(1000, func() { i.Call(ctx, "empty") }); n > most {
			t.Errorf("%s: got %v allocations, want at most %v", name, n, most)
		}
	}
}

// TestMaxCPUOfShortCalls makes calls that are far shorter than the interval of a tick.
func TestMaxCPUOfShortCalls(t *testing.T) {
	i := newInstance(t, compileTestdata(t, "instance"),
		wasport.Config{MaxCPU: 5 * time.Millisecond})
	for _, name := range []string{"empty", "count"} {
		for range 10_000_000 {
			if _, err := i.Call(context.Background(), name); err != nil {
				if !errors.Is(err, wasport.ErrCPU) {
					t.Errorf("got %v, want %v", err, wasport.ErrCPU)
				}
				return
			}
		}
		t.Errorf("%s: got no error, want %v", name, wasport.ErrCPU)
	}
}
