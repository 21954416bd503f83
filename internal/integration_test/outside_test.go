package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/wasport/wasport/internal/testutil"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/dial"
	"github.com/wasport/wasport/policy"
)

// The parts that an embedder supplies, each of one function.
type (
	readFunc   func([]byte) (int, error)
	writeFunc  func([]byte) (int, error)
	handleFunc func()
	connFunc   func() (syscall.RawConn, error)
	// fakeNetwork is a network that calls a function in each of its methods.
	fakeNetwork func()
)

func (f readFunc) Read(b []byte) (int, error)                  { return f(b) }
func (f writeFunc) Write(b []byte) (int, error)                { return f(b) }
func (f handleFunc) Enabled(context.Context, slog.Level) bool  { return true }
func (f handleFunc) Handle(context.Context, slog.Record) error { f(); return nil }
func (f handleFunc) WithAttrs([]slog.Attr) slog.Handler        { return f }
func (f handleFunc) WithGroup(string) slog.Handler             { return f }
func (f connFunc) SyscallConn() (syscall.RawConn, error)       { return f() }
func (f fakeNetwork) Open(network.Family, network.Type) (network.Socket, error) {
	f()
	return nil, syscall.ENFILE
}
func (f fakeNetwork) LookupAddrs(context.Context, network.Family, string) ([]netip.Addr, error) {
	f()
	return nil, &network.LookupError{Failure: network.NoSuchHost}
}
func (f fakeNetwork) LookupPort(context.Context, network.Type, string) (uint16, error) {
	f()
	return 0, &network.LookupError{Failure: network.NoSuchHost}
}

// fakeFS has one file. It calls open, if that is set, before it opens the file, from which read
// reads.
type fakeFS struct {
	open func()
	read readFunc
}

func (f fakeFS) Open(name string) (fs.File, error) {
	file := fstest.MapFS{"file": {Data: []byte("hello")}}
	opened, err := file.Open(name)
	if name != "file" || err != nil {
		return opened, err
	}
	if f.open != nil {
		f.open()
	}
	return struct {
		readFunc
		statAndClose
	}{f.read, opened}, nil
}

// Lstat and ReadLink make fakeFS an fs.ReadLinkFS, which need not open a file for its properties.
func (f fakeFS) Lstat(name string) (fs.FileInfo, error) {
	return fstest.MapFS{"file": {Data: []byte("hello")}}.Lstat(name)
}

func (fakeFS) ReadLink(string) (string, error) { return "", fs.ErrInvalid }

type statAndClose interface {
	Stat() (fs.FileInfo, error)
	Close() error
}

// loopbackNames is a network on which each name is a loopback address.
type loopbackNames struct{ fakeNetwork }

func (loopbackNames) LookupAddrs(context.Context, network.Family, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// listenerWithDeniedPeer is a listener with a connection in its queue, and a policy that admits no
// peer from there.
func listenerWithDeniedPeer(t *testing.T) ([]syscall.Conn, *policy.Policy) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	return []syscall.Conn{l.(*net.TCPListener)},
		testutil.Policy(t, fmt.Sprintf("allow listen tcp://%s from 10.0.0.1", l.Addr()))
}

// embedderParts lists configurations of which one part calls f, with the guest's function that
// reaches that part.
func embedderParts(t *testing.T, f func()) []embedderPart {
	named := testutil.Policy(t, "allow resolve *.test")
	write := writeFunc(func(b []byte) (int, error) { f(); return len(b), nil })
	read := readFunc(func(b []byte) (int, error) { f(); return len(b), nil })
	sockets, others := listenerWithDeniedPeer(t)
	return []embedderPart{
		{"Stdin", "read", "Config.Stdin", false, wasport.Config{Stdin: read}},
		{"Stdout", "write", "Config.Stdout", true, wasport.Config{Stdout: write}},
		{"Stderr", "error", "Config.Stderr", true, wasport.Config{Stderr: write}},
		{"Random", "random", "random_get", true, wasport.Config{Random: read}},
		{"OnRefusal", "resolve", "Config.OnRefusal", true,
			wasport.Config{OnRefusal: func(*policy.Refusal) { f() }}},
		{"OnDeniedPeer", "accept", "Config.OnDeniedPeer", true, wasport.Config{Sockets: sockets,
			Policy: others, OnDeniedPeer: func(*policy.Refusal) { f() }}},
		{"OnFiltered", "resolve", "Config.OnFiltered", true, wasport.Config{
			Policy:  testutil.Policy(t, "allow connect tcp://*.test:80"),
			Network: loopbackNames{}, OnFiltered: func(*policy.Filtered) { f() }}},
		{"OnLimit", "open", "Config.OnLimit", true, wasport.Config{MaxDescriptors: 3,
			OnLimit: func(string, int) { f() }}},
		{"Audit", "resolve", "Config.Audit", true, wasport.Config{Audit: slog.New(handleFunc(f))}},
		{"Trace", "write", "Config.Trace", true, wasport.Config{Trace: write}},
		{"FS for a path", "open_file", "path_open", true,
			wasport.Config{Dirs: []wasport.Dir{{Guest: "/", FS: fakeFS{open: f}}}}},
		{"FS for bytes", "read_file", "fd_read", true,
			wasport.Config{Dirs: []wasport.Dir{{Guest: "/", FS: fakeFS{read: read}}}}},
		{"Network for a socket", "open", "sock_open", true,
			wasport.Config{Network: fakeNetwork(f)}},
		{"DialContext", "connect", "Config.Network", false, wasport.Config{Network: dial.New(
			dial.Config{DialContext: func(context.Context, string, string) (net.Conn, error) {
				f()
				return nil, syscall.ENETDOWN
			}}), Policy: testutil.Policy(t, "allow connect any")}},
		{"Network for a name", "resolve", "Config.Network", false,
			wasport.Config{Network: fakeNetwork(f), Policy: named}},
		{"Network for a service", "service", "Config.Network", false,
			wasport.Config{Network: fakeNetwork(f), Policy: named}},
	}
}

type embedderPart struct {
	name, function string
	wantIn         string // as HostPanic.In and StuckError.In
	wantStuck      bool   // the guest cannot leave it
	config         wasport.Config
}

// TestPanicInEmbedderPart has each part of an embedder panic.
func TestPanicInEmbedderPart(t *testing.T) {
	m := compileTestdata(t, "outside")
	bystander, err := m.Start(context.Background(), wasport.Config{Function: "keep_writing"})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range panicKinds {
		t.Run(kind.name, func(t *testing.T) {
			for _, e := range embedderParts(t, kind.do) {
				t.Run(e.name, func(t *testing.T) {
					e.config.Function = e.function
					_, err := m.Run(context.Background(), e.config)
					checkHostPanic(t, err, e.wantIn, kind)
				})
			}
			for _, e := range embedderParts(t, kind.do) { // with another peer
				t.Run(e.name+" of an instance", func(t *testing.T) {
					i := newInstance(t, m, e.config)
					go i.Call(context.Background(), e.function) // may end the goroutine
					_, err := i.Wait()
					checkHostPanic(t, err, e.wantIn, kind)
					var ended *wasport.EndedError
					_, err = i.Call(context.Background(), e.function)
					if checkHostPanic(t, err, e.wantIn, kind); !errors.As(err, &ended) {
						t.Errorf("got %v from the next call, want an EndedError", err)
					}
				})
			}
		})
	}
	boom := errors.New("boom")
	bystander.Stop(boom)
	if _, err := bystander.Wait(); err != boom {
		t.Errorf("got %v from another guest, want %v", err, boom)
	}
}

// panicKind is a way to panic.
type panicKind struct {
	name  string
	do    func()
	value any // nil = any
}

var panicKinds = []panicKind{
	{"error", func() { panic(io.ErrNoProgress) }, io.ErrNoProgress},
	{"value", func() { panic(panicValue{7}) }, panicValue{7}},
	{"nil", func() { panic(nil) }, nil},
	{"fault", func() { var p *int; *p = 1 }, nil},
	{"Goexit", runtime.Goexit, nil},
}

type panicValue struct{ n int }

// checkHostPanic checks the error of a guest for which the part called in panicked.
func checkHostPanic(t *testing.T, err error, in string, kind panicKind) {
	t.Helper()
	var p *wasport.HostPanic
	var trap *wasport.Trap
	if !errors.As(err, &p) || errors.As(err, &trap) {
		t.Fatalf("got %v, want a HostPanic", err)
	}
	if kind.value != nil && p.Value != kind.value || p.Value == nil {
		t.Errorf("got the value %v, want %v", p.Value, kind.value)
	}
	if p.In != in || !strings.Contains(p.Stack, "integration_test/") {
		t.Errorf("got a panic in %s, want %s, with the test's stack:\n%s", p.In, in, p.Stack)
	}
}

// TestPanicInHostFunction has host functions panic in guests of each kind.
func TestPanicInHostFunction(t *testing.T) {
	var kind panicKind
	f := func(context.Context, *wasport.Caller, uint64) uint64 { kind.do(); return 0 }
	eachHostRuntime(t, f, func(t *testing.T, m *wasport.Module) {
		for _, kind = range panicKinds {
			t.Run(kind.name, func(t *testing.T) {
				_, err := m.Run(context.Background(), wasport.Config{})
				checkHostPanic(t, err, "host.f", kind)
				i := newInstance(t, m, wasport.Config{})
				go i.Call(context.Background(), "call", 1)
				_, err = i.Wait()
				checkHostPanic(t, err, "host.f", kind)
			})
		}
	})
}

// TestReadersAndWritersWithInvalidCount has readers and writers return counts that io.Reader and
// io.Writer forbid.
func TestReadersAndWritersWithInvalidCount(t *testing.T) {
	m := compileTestdata(t, "outside")
	for name, n := range map[string]func(int) int{
		"negative": func(int) int { return -1 },
		"too much": func(n int) int { return n + 1 },
	} {
		call := func(b []byte) (int, error) { return n(len(b)), nil }
		for function, c := range map[string]wasport.Config{
			"read":   {Stdin: readFunc(call)},
			"write":  {Stdout: writeFunc(call)},
			"random": {Random: readFunc(call)},
			"read_file": {Dirs: []wasport.Dir{
				{Guest: "/", FS: fakeFS{read: call}}}},
		} {
			t.Run(function+" "+name, func(t *testing.T) {
				c.Function = function
				_, err := m.Run(context.Background(), c)
				var p *wasport.HostPanic
				if !errors.As(err, &p) {
					t.Errorf("got %v, want a HostPanic", err)
				}
			})
		}
	}
}

func TestInvalidSocketIsRefused(t *testing.T) {
	m := compileTestdata(t, "outside")
	for name, conn := range map[string]syscall.Conn{
		"nil":    nil,
		"panics": connFunc(func() (syscall.RawConn, error) { panic("boom") }),
		"fails":  connFunc(func() (syscall.RawConn, error) { return nil, syscall.EBADF }),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := m.Run(context.Background(), wasport.Config{Sockets: []syscall.Conn{conn}})
			var p *wasport.HostPanic
			if err == nil || errors.As(err, &p) != (name == "panics") {
				t.Errorf("got %v, want an error, and a HostPanic only after a panic", err)
			}
		})
	}
}

// TestGuestEndsInHostFunction ends guests in a function of the embedder's runtime.
func TestGuestEndsInHostFunction(t *testing.T) {
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	entered, left := make(chan struct{}), make(chan error, 1)
	boom := errors.New("boom")
	functions := rt.NewHostModuleBuilder("embedder")
	for name, f := range map[string]func(context.Context, api.Module){
		"wait": func(ctx context.Context, _ api.Module) {
			close(entered)
			<-ctx.Done()
			left <- context.Cause(ctx)
		},
		"panic": func(context.Context, api.Module) { panic(boom) },
		"fault": func(context.Context, api.Module) { var p *int; *p = 1 },
	} {
		functions.NewFunctionBuilder().WithFunc(f).Export(name)
	}
	if _, err := functions.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	config := wasport.RuntimeConfig{Wazero: rt, HostModules: []string{"embedder"}}
	r, err := wasport.NewRuntime(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	start := func(t *testing.T, name string) *wasport.Guest {
		wasm := moduleWithImport("embedder", name, 0, 0)
		wasm = append(wasm[:len(wasm)-6], "\x0a\x06\x01\x04\x00\x10\x00\x0b"...) // _start calls it
		m, err := r.Compile(ctx, wasm, wasport.CompileConfig{})
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Start(ctx, wasport.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	t.Run("waits", func(t *testing.T) {
		g := start(t, "wait")
		<-entered
		g.Stop(boom)
		if _, err := g.Wait(); err != boom {
			t.Errorf("got %v, want the error given to Stop", err)
		}
		if err := <-left; err != boom {
			t.Errorf("the function's context ended with %v, want the error given to Stop", err)
		}
	})
	t.Run("panics", func(t *testing.T) {
		_, err := start(t, "panic").Wait()
		var p *wasport.HostPanic
		if !errors.As(err, &p) || !errors.Is(err, boom) {
			t.Errorf("got %v, want a HostPanic with %v", err, boom)
		}
	})
	t.Run("faults", func(t *testing.T) {
		_, err := start(t, "fault").Wait()
		var p *wasport.HostPanic
		if !errors.As(err, &p) || !strings.Contains(p.Stack, "outside_test.go") {
			t.Errorf("got %v, want a HostPanic with the stack of this file", err)
		}
	})
}

// TestStopWhileEmbedderPartBlocks stops guests while a part of the embedder does not return.
func TestStopWhileEmbedderPartBlocks(t *testing.T) {
	ctx := context.Background()
	release, entered := make(chan struct{}), make(chan struct{}, 1)
	r, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := os.ReadFile("testdata/outside.wasm")
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	for _, e := range embedderParts(t, func() {
		select {
		case entered <- struct{}{}:
		default:
		}
		<-release
	}) {
		t.Run(e.name, func(t *testing.T) {
			e.config.Function = e.function
			g, err := m.Start(ctx, e.config)
			if err != nil {
				t.Fatal(err)
			}
			<-entered
			g.Stop(why)
			_, err = g.Wait()
			if !errors.Is(err, why) {
				t.Errorf("got %v, want the error given to Stop", err)
			}
			var stuck *wasport.StuckError
			if errors.As(err, &stuck) != e.wantStuck || e.wantStuck &&
				!slices.Equal(stuck.In, []string{e.wantIn}) {
				t.Errorf("got %v, want one that is stuck in %s: %v", err, e.wantIn, e.wantStuck)
			}
		})
	}
	// Guests whose calls have not returned keep the memory that those return to.
	if err := r.Close(ctx); err != nil {
		t.Error(err)
	}
	close(release)
}

// TestStalledOnRefusalDropsReports has a guest go on and end while its OnRefusal never returns.
func TestStalledOnRefusalDropsReports(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	m := compileTestdata(t, "outside")
	var g *wasport.Guest
	g, err := m.Start(context.Background(), wasport.Config{
		Function: "keep_resolving", OnRefusal: func(*policy.Refusal) { <-release },
	})
	if err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "something is dropped", func() bool { return g.Dropped().Reports > 0 })
	g.Stop(nil)
	g.Wait()
	if d := g.Dropped(); d.Records != 0 || d.Calls != 0 {
		t.Errorf("got %+v, want reports alone", d)
	}
}

// TestSlowStdoutReceivesEverything has a slow writer receive all output of a guest that ends by
// itself.
func TestSlowStdoutReceivesEverything(t *testing.T) {
	m := compileTestdata(t, "outside")
	const count = 2000
	var got bytes.Buffer
	slow := writeFunc(func(b []byte) (int, error) {
		time.Sleep(10 * time.Microsecond)
		return got.Write(b[:len(b):len(b)])
	})
	_, err := m.Run(context.Background(), wasport.Config{
		Stdout: slow, Function: "lines", Params: []uint64{count},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("hello\n", count); got.String() != want {
		t.Errorf("got %d bytes, want %d", got.Len(), len(want))
	}
	failing := writeFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe })
	status, err := m.Run(context.Background(), wasport.Config{Stdout: failing, Function: "write"})
	if err != nil || status.Results[0] == 0 {
		t.Errorf("got %v, %v; want an errno from a write that failed", status, err)
	}
}
