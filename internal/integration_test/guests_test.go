package integration_test

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/gramine"
	testguests "github.com/wasport/wasport/internal/guests"
	componentguests "github.com/wasport/wasport/internal/guests/components"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/policy"
)

// testTimeout bounds how long a test waits for an event that should come at once.
const testTimeout = time.Minute

// shared is the runtime of all tests, with the modules compiled so far.
var shared struct {
	runtime *wasport.Runtime

	mu      sync.Mutex
	modules map[moduleFile]*wasport.Module
}

// moduleFile is a module of one of the packages that embed guests.
type moduleFile struct {
	from embed.FS
	name string
}

func TestMain(m *testing.M) {
	gramine.Enter()
	rt, err := wasport.NewRuntime(context.Background(), wasport.RuntimeConfig{
		Interpreter: os.Getenv("WASPORT_INTERPRETER") != "",
	})
	if err != nil {
		panic(err)
	}
	shared.runtime = rt
	shared.modules = make(map[moduleFile]*wasport.Module)
	status := m.Run()
	rt.Close(context.Background())
	os.Exit(status)
}

// compileGuest compiles one of the guests in internal/guests, once for all tests.
func compileGuest(t testing.TB, name string) *wasport.Module {
	t.Helper()
	return compileEmbedded(t, testguests.FS, name)
}

// compileComponent compiles one of the guests in internal/guests/components, once for all tests.
func compileComponent(t testing.TB, name string) *wasport.Module {
	t.Helper()
	return compileEmbedded(t, componentguests.FS, name)
}

func compileEmbedded(t testing.TB, from embed.FS, name string) *wasport.Module {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if m, ok := shared.modules[moduleFile{from, name}]; ok {
		return m
	}
	wasm, err := from.ReadFile(name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	m, err := shared.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	shared.modules[moduleFile{from, name}] = m
	return m
}

// loopbackPolicy allows everything on this host, and nothing beyond.
func loopbackPolicy(t testing.TB) *policy.Policy {
	return testutil.Policy(t, "allow connect loopback", "allow listen loopback",
		"allow join multicast", "allow connect multicast")
}

// guest is a guest that runs while the test talks to it.
type guest struct {
	t      testing.TB
	handle *wasport.Guest
	stdout *bufio.Reader
	stderr *bytes.Buffer
}

// startGuest starts a guest with these arguments, allowed to do everything on loopback.
func startGuest(t testing.TB, name string, args ...string) *guest {
	t.Helper()
	return startGuestWith(
		t,
		context.Background(),
		wasport.Config{Policy: loopbackPolicy(t)},
		name,
		args...)
}

func startGuestWith(t testing.TB, ctx context.Context, c wasport.Config, name string,
	args ...string) *guest {
	t.Helper()
	return startModule(t, ctx, c, compileGuest(t, name), name, args...)
}

func startModule(t testing.TB, ctx context.Context, c wasport.Config, m *wasport.Module,
	name string, args ...string) *guest {
	t.Helper()
	r, w := io.Pipe()
	c.Args = append([]string{name}, args...)
	c.Stdout = w
	errs := &bytes.Buffer{}
	c.Stderr = errs
	if testing.Verbose() && c.Trace == nil {
		c.Trace = traceLog{t}
	}
	g, err := m.Start(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.Wait()
		w.Close()
	}()
	t.Cleanup(func() {
		g.Stop(nil)
		r.Close()
		<-done
	})
	return &guest{t, g, bufio.NewReader(r), errs}
}

type traceLog struct{ t testing.TB }

func (l traceLog) Write(b []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSuffix(b, []byte("\n")))
	return len(b), nil
}

// readLine reads the next line that the guest prints.
func (g *guest) readLine() string {
	g.t.Helper()
	s, err := g.stdout.ReadString('\n')
	if err != nil {
		_, ended := g.handle.Wait()
		g.t.Fatalf("got %q, then %v, want a line; the guest ended with %v; stderr: %s", s, err,
			ended, g.stderr)
	}
	return strings.TrimSuffix(s, "\n")
}

// expectLines reads lines and compares each with the wanted one.
func (g *guest) expectLines(lines ...string) {
	g.t.Helper()
	for _, want := range lines {
		if got := g.readLine(); got != want {
			g.t.Fatalf("got %q from the guest, want %q", got, want)
		}
	}
}

// readListenAddr reads the line in which a server prints its address.
func (g *guest) readListenAddr() netip.AddrPort {
	g.t.Helper()
	var word, host string
	var port uint16
	line := g.readLine()
	if _, err := fmt.Sscan(line, &word, &host, &port); err != nil || word != "listening" {
		g.t.Fatalf(`got %q, want "listening" with an address and a port`, line)
	}
	return netip.AddrPortFrom(netip.MustParseAddr(host), port)
}

// waitExit waits until the guest exits with a status, and returns the rest of its output.
func (g *guest) waitExit(code uint32) string {
	g.t.Helper()
	rest, _ := io.ReadAll(g.stdout)
	status, err := g.handle.Wait()
	if err != nil {
		g.t.Fatalf("got %v, want exit status %d; stderr: %s", err, code, g.stderr)
	}
	if status.Code != code {
		g.t.Fatalf("got exit status %d, want %d; stdout: %s; stderr: %s", status.Code,
			code, rest, g.stderr)
	}
	return string(rest)
}

// runGuest runs a guest to its end and returns its output.
func runGuest(t testing.TB, code uint32, name string, args ...string) string {
	t.Helper()
	return startGuest(t, name, args...).waitExit(code)
}

// forEachFamily runs a test for IPv4 and for IPv6.
func forEachFamily(t *testing.T, f func(t *testing.T, loopback, number string)) {
	t.Run("IPv4", func(t *testing.T) { f(t, "127.0.0.1", "4") })
	t.Run("IPv6", func(t *testing.T) {
		l, err := net.Listen("tcp6", "[::1]:0")
		if err != nil {
			t.Skip("this host has no IPv6")
		}
		l.Close()
		f(t, "::1", "6")
	})
}

// serveTCP listens on a loopback address, and serves each connection by f.
func serveTCP(t testing.TB, ip string, f func(net.Conn)) (host, port string) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	host, port, _ = net.SplitHostPort(l.Addr().String())
	return host, port
}

// dialGuest connects to a guest.
func dialGuest(t testing.TB, a netip.AddrPort) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(testTimeout))
	return c.(*net.TCPConn)
}

// writeText writes a text to a connection.
func writeText(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func expectText(t testing.TB, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if n, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("got %q, %v, want %q", b[:n], err, want)
	}
}

// startGuestUnder starts a guest under a policy.
func startGuestUnder(t testing.TB, p *policy.Policy, name string, args ...string) *guest {
	t.Helper()
	return startGuestWith(t, context.Background(), wasport.Config{Policy: p}, name, args...)
}

func portText(a netip.AddrPort) string { return fmt.Sprint(a.Port()) }

// waitUntil waits until a condition holds.
func waitUntil(t testing.TB, condition string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(testTimeout); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("got a timeout, want: %s\n%s", condition, goroutineStacks())
		}
	}
}

func goroutineStacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// noGuestGoroutines reports whether no goroutine is in a package that runs guests. The tests' own
// package lies beneath internal too.
func noGuestGoroutines() bool {
	stacks := strings.ReplaceAll(goroutineStacks(), "internal/integration_test", "")
	return !strings.Contains(stacks, "wasport/wasport/internal/")
}
