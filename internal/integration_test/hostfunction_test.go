package integration_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport"
	threadguests "github.com/wasport/wasport/internal/guests/threads"
	"github.com/wasport/wasport/internal/testutil"
)

var oneI32 = []api.ValueType{api.ValueTypeI32}

// hostFunc is the Go part of a host function (i32) -> i32.
type hostFunc func(ctx context.Context, c *wasport.Caller, arg uint64) uint64

// hostFunctions are the functions that testdata/hostcall.wat imports. wait waits for its context.
func hostFunctions(f hostFunc) []wasport.HostFunction {
	return []wasport.HostFunction{
		{Module: "host", Name: "f", Params: oneI32, Results: oneI32,
			Call: func(ctx context.Context, c *wasport.Caller, values []uint64) {
				values[0] = f(ctx, c, values[0])
			}},
		{Module: "host", Name: "wait",
			Call: func(ctx context.Context, _ *wasport.Caller, _ []uint64) { <-ctx.Done() }},
	}
}

// compileHostcall compiles testdata/hostcall.wat in a runtime with the functions.
func compileHostcall(t testing.TB, c wasport.RuntimeConfig) *wasport.Module {
	t.Helper()
	ctx := context.Background()
	r, err := wasport.NewRuntime(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(ctx) })
	m, err := r.Compile(ctx, testdata(t, "hostcall"), wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// wazeroHostModule is a wazero runtime with the same functions as hostFunctions, in wazero's form.
func wazeroHostModule(t testing.TB, f hostFunc) wasport.RuntimeConfig {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(
		api.CoreFeaturesV2|experimental.CoreFeaturesThreads))
	t.Cleanup(func() { rt.Close(ctx) })
	_, err := rt.NewHostModuleBuilder("host").
		NewFunctionBuilder().WithFunc(func(ctx context.Context, arg uint32) uint32 {
		return uint32(f(ctx, wasport.CallerOf(ctx), uint64(arg)))
	}).Export("f").
		NewFunctionBuilder().WithFunc(func(ctx context.Context, _ api.Module) { <-ctx.Done() }).
		Export("wait").Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return wasport.RuntimeConfig{Wazero: rt, HostModules: []string{"host"}}
}

// eachHostRuntime runs a test with host functions of both kinds, compiled and interpreted.
func eachHostRuntime(t *testing.T, f hostFunc, test func(*testing.T, *wasport.Module)) {
	own := wasport.RuntimeConfig{HostFunctions: hostFunctions(f)}
	interpreted := own
	interpreted.Interpreter = true
	for name, c := range map[string]wasport.RuntimeConfig{
		"HostFunctions": own, "interpreted": interpreted, "HostModules": wazeroHostModule(t, f),
	} {
		t.Run(name, func(t *testing.T) { test(t, compileHostcall(t, c)) })
	}
}

// TestHostFunctionSeesItsGuest calls a host function from guests of each kind.
func TestHostFunctionSeesItsGuest(t *testing.T) {
	type key struct{}
	allowed := testutil.Policy(t, "allow connect tcp://127.0.0.1:80")
	var calls int
	f := func(ctx context.Context, c *wasport.Caller, arg uint64) uint64 {
		calls++
		if c.Name() != "plug-in" || c.Policy() != allowed || ctx.Value(key{}) != "value" {
			t.Errorf("got %q with %v and the value %v, want the guest's", c.Name(), c.Policy(),
				ctx.Value(key{}))
		}
		if other := wasport.CallerOf(ctx); other.Guest != c.Guest {
			t.Errorf("got the guest %v from the context, want %v", other.Guest, c.Guest)
		}
		if err := ctx.Err(); err != nil {
			t.Errorf("got %v, want a context that has not ended", err)
		}
		size := c.Memory().Size()
		if err := c.Memory().Write(size-4, []byte("last")); err != nil {
			t.Error(err)
		}
		if n, err := c.Call(ctx, "grow", 1); err != nil || n[0]<<16 != size {
			t.Errorf("got %v, %v pages before the growth; want %d bytes", n, err, size)
		}
		if b, err := c.Memory().Read(size-4, 8); string(b) != "last\x00\x00\x00\x00" {
			t.Errorf("got %q, %v across the grown end; want what was written", b, err)
		}
		if err := c.Memory().Write(size+1<<16, []byte{1}); err == nil {
			t.Error("got no error beyond the memory, want one")
		}
		return arg * 10
	}
	eachHostRuntime(t, f, func(t *testing.T, m *wasport.Module) {
		calls = 0
		ctx := context.WithValue(context.Background(), key{}, "value")
		c := wasport.Config{Args: []string{"plug-in"}, Policy: allowed, Function: "call",
			Params: []uint64{4}}
		status, err := m.Run(ctx, c)
		if err != nil || status.Results[0] != 41 {
			t.Errorf("Run: got %v, %v; want 41", status, err)
		}
		g, err := m.Start(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		if status, err := g.Wait(); err != nil || status.Results[0] != 41 {
			t.Errorf("Start: got %v, %v; want 41", status, err)
		}
		i := newInstance(t, m, wasport.Config{Name: "plug-in", Policy: allowed})
		cancellable, cancel := context.WithCancel(ctx)
		defer cancel()
		for _, ctx := range []context.Context{ctx, cancellable} {
			if got, err := i.Call(ctx, "call", 5); err != nil || got[0] != 51 {
				t.Errorf("Instance: got %v, %v; want 51", got, err)
			}
		}
		if calls != 4 {
			t.Errorf("got %d calls, want 4", calls)
		}
	})
}

// errEnough is the cause with which tests end a guest.
var errEnough = errors.New("enough")

// waiter has a host function that waits for its context.
type waiter struct {
	entered chan struct{}
	left    chan error // the cause of the context

	// ctx is the context of the last call.
	ctx context.Context
}

func newWaiter() *waiter { return &waiter{make(chan struct{}, 1), make(chan error, 1), nil} }

func (w *waiter) f(ctx context.Context, _ *wasport.Caller, _ uint64) uint64 {
	w.ctx = ctx
	w.entered <- struct{}{}
	<-ctx.Done()
	w.left <- context.Cause(ctx)
	return 0
}

// checkLeft checks that the function has returned.
func (w *waiter) checkLeft(t *testing.T) {
	t.Helper()
	select {
	case err := <-w.left:
		if err != errEnough {
			t.Errorf("got the cause %v, want %v", err, errEnough)
		}
	default:
		t.Error("got a function that has not returned")
	}
}

// TestHostFunctionWaitsForItsContext ends guests in each way while a host function waits for its
// context.
func TestHostFunctionWaitsForItsContext(t *testing.T) {
	w := newWaiter()
	eachHostRuntime(t, w.f, func(t *testing.T, m *wasport.Module) {
		t.Run("Stop", func(t *testing.T) {
			g, err := m.Start(context.Background(), wasport.Config{})
			if err != nil {
				t.Fatal(err)
			}
			<-w.entered
			g.Stop(errEnough)
			if _, err := g.Wait(); err != errEnough {
				t.Errorf("got %v, want %v", err, errEnough)
			}
			w.checkLeft(t)
		})
		t.Run("context of Run", func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			go func() { <-w.entered; cancel(errEnough) }()
			if _, err := m.Run(ctx, wasport.Config{}); err != errEnough {
				t.Errorf("got %v, want %v", err, errEnough)
			}
			w.checkLeft(t)
		})
		t.Run("context of Call", func(t *testing.T) {
			i := newInstance(t, m, wasport.Config{})
			ctx, cancel := context.WithCancelCause(context.Background())
			go func() { <-w.entered; cancel(errEnough) }()
			if _, err := i.Call(ctx, "call", 1); err != errEnough || i.Err() != nil {
				t.Errorf("got %v and the instance's %v, want %v and nil", err, i.Err(), errEnough)
			}
			w.checkLeft(t)
		})
	})
}

// TestStopOfInstanceInHostFunction stops instances while a host function waits, in calls whose
// context may end and may not.
func TestStopOfInstanceInHostFunction(t *testing.T) {
	w := newWaiter()
	eachHostRuntime(t, w.f, func(t *testing.T, m *wasport.Module) {
		cancellable, cancel := context.WithCancel(context.Background())
		defer cancel()
		for _, ctx := range []context.Context{context.Background(), cancellable} {
			i, stopped := newInstance(t, m, wasport.Config{}), make(chan error)
			go func() {
				<-w.entered
				i.Stop(errEnough)
				stopped <- w.ctx.Err()
			}()
			if _, err := i.Call(ctx, "call", 1); err != errEnough {
				t.Errorf("got %v, want %v", err, errEnough)
			}
			if err := <-stopped; err == nil {
				t.Error("got a context that has not ended after Stop")
			}
			w.checkLeft(t)
		}
	})
}

// TestCloseDuringStuckHostFunction closes an instance while a host function does not return.
func TestCloseDuringStuckHostFunction(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	m := compileHostcall(t, wasport.RuntimeConfig{HostFunctions: hostFunctions(
		func(context.Context, *wasport.Caller, uint64) uint64 {
			close(entered)
			<-release
			return 0
		})})
	i, err := m.Instantiate(context.Background(), wasport.Config{})
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan error)
	go func() {
		_, err := i.Call(context.Background(), "call", 1)
		called <- err
	}()
	<-entered
	var stuck *wasport.StuckError
	if err := i.Close(); !errors.As(err, &stuck) || !slices.Equal(stuck.In, []string{"host.f"}) {
		t.Errorf("got %v, want a StuckError in host.f", err)
	}
	close(release)
	if err := <-called; err != wasport.ErrClosed {
		t.Errorf("got %v from the call, want %v", err, wasport.ErrClosed)
	}
}

// TestHostFunctionsAreChecked makes runtimes with host functions that cannot be.
func TestHostFunctionsAreChecked(t *testing.T) {
	ctx := context.Background()
	call := func(context.Context, *wasport.Caller, []uint64) {}
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	own := func(f ...wasport.HostFunction) wasport.RuntimeConfig {
		return wasport.RuntimeConfig{HostFunctions: f}
	}
	for _, test := range []struct {
		name, want string
		c          wasport.RuntimeConfig
	}{
		{"preview 1", "wasi_snapshot_preview1, which is wasport's",
			own(wasport.HostFunction{Module: "wasi_snapshot_preview1", Name: "mine", Call: call})},
		{"unstable", "wasi_unstable",
			own(wasport.HostFunction{Module: "wasi_unstable", Call: call})},
		{"sockets", "wasport_sockets",
			own(wasport.HostFunction{Module: "wasport_sockets", Name: "sock_open", Call: call})},
		{"threads", "wasi, ", own(wasport.HostFunction{Module: "wasi", Name: "f", Call: call})},
		{"listed module", "wasi_snapshot_preview1", wasport.RuntimeConfig{Wazero: rt,
			HostModules: []string{"wasi_snapshot_preview1"}}},
		{"no module", "the name of their module", own(wasport.HostFunction{Name: "f", Call: call})},
		{"not UTF-8", "the name of their module",
			own(wasport.HostFunction{Module: "\xff", Name: "f", Call: call})},
		{"no function", "env.f has no Go function",
			own(wasport.HostFunction{Module: "env", Name: "f"})},
		{"twice", "env.f is given twice", own(
			wasport.HostFunction{Module: "env", Name: "f", Call: call},
			wasport.HostFunction{Module: "env", Name: "f", Params: oneI32, Call: call})},
		{"reference", "not numbers", own(wasport.HostFunction{Module: "env", Name: "f",
			Params: []api.ValueType{api.ValueTypeExternref}, Call: call})},
		{"unknown type", "not numbers", own(wasport.HostFunction{Module: "env", Name: "f",
			Results: []api.ValueType{0}, Call: call})},
		{"both kinds", "one of the wazero runtime's", wasport.RuntimeConfig{Wazero: rt,
			HostModules:   []string{"env"},
			HostFunctions: []wasport.HostFunction{{Module: "env", Name: "f", Call: call}}}},
		{"no runtime", "no wazero runtime", wasport.RuntimeConfig{HostModules: []string{"env"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := wasport.NewRuntime(ctx, test.c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if r != nil {
				r.Close(ctx)
			}
		})
	}
	r, err := wasport.NewRuntime(ctx, own(hostFunctions(nil)[1],
		wasport.HostFunction{Module: "host", Name: "f", Results: oneI32, Call: call}))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	_, err = r.Compile(ctx, testdata(t, "hostcall"), wasport.CompileConfig{})
	var lacking *wasport.ImportError
	if !errors.As(err, &lacking) || len(lacking.Imports) != 1 ||
		lacking.Imports[0].Have != "() -> i32" || !lacking.Imports[0].Foreign {
		t.Errorf("another type: got %v, want an ImportError for f", err)
	}
}

// TestHostFunctionFromThreads has two threads of a guest call a host function.
func TestHostFunctionFromThreads(t *testing.T) {
	ctx := context.Background()
	wasm, err := threadguests.FS.ReadFile("host.wasm")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var heard []string
	hear := func(ctx context.Context, c *wasport.Caller, values []uint64) {
		b, err := c.Memory().Read(values[0], values[1])
		if err != nil || c.Name() != "threads" {
			t.Errorf("got %v in %q, want no error in the guest", err, c.Name())
		}
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, string(b))
		values[0] = values[1]
	}
	r, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{HostFunctions: []wasport.HostFunction{{
		Module: "env", Name: "hear", Params: append(oneI32, oneI32...), Results: oneI32, Call: hear,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	m, err := r.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(ctx, wasport.Config{Name: "threads"}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(heard, []string{"from the first", "from another"}) {
		t.Errorf("got %q, want the calls of both threads", heard)
	}
}

// TestMaxCPUWithHostFunctions counts the time that host functions compute, not that they wait.
func TestMaxCPUWithHostFunctions(t *testing.T) {
	waits := 0
	compute := false
	f := func(ctx context.Context, c *wasport.Caller, _ uint64) uint64 {
		if compute {
			for at := time.Now(); time.Since(at) < time.Millisecond; {
			}
			return 0
		}
		timer := time.NewTimer(5 * time.Millisecond)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		if waits++; waits == 40 {
			c.Stop(errors.New("waited long enough"))
		}
		return 0
	}
	m := compileHostcall(t, wasport.RuntimeConfig{HostFunctions: hostFunctions(f)})
	c := wasport.Config{Function: "again", MaxCPU: 50 * time.Millisecond}
	if _, err := m.Run(context.Background(), c); err == nil || err == wasport.ErrCPU {
		t.Errorf("got %v after %d waits of 5 ms, want the error of Stop", err, waits)
	}
	compute = true
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if _, err := m.Run(ctx, c); err != wasport.ErrCPU {
		t.Errorf("got %v, want %v", err, wasport.ErrCPU)
	}
}
