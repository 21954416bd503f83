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
	testguests "github.com/wasport/wasport/internal/guests"
	"github.com/wasport/wasport/policy"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

var shared struct {
	sync.Mutex
	runtime *wasport.Runtime
	modules map[string]*wasport.Module
}

func TestMain(m *testing.M) {
	rt, err := wasport.NewRuntime(context.Background(), wasport.RuntimeConfig{
		Interpreter: os.Getenv("WASPORT_INTERPRETER") != "",
	})
	if err != nil {
		panic(err)
	}
	shared.runtime = rt
	shared.modules = make(map[string]*wasport.Module)
	status := m.Run()
	rt.Close(context.Background())
	os.Exit(status)
}

// module compiles one of the guests in internal/guests, once for all tests.
func module(t testing.TB, name string) *wasport.Module {
	t.Helper()
	return moduleOf(t, testguests.FS, name)
}

func moduleOf(t testing.TB, from embed.FS, name string) *wasport.Module {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if m, ok := shared.modules[name]; ok {
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
	shared.modules[name] = m
	return m
}

// rules makes a policy of whole rules.
func rules(t testing.TB, text ...string) *policy.Policy {
	t.Helper()
	var list []policy.Rule
	for _, s := range text {
		r, err := policy.ParseRule(s, policy.Origin{Source: "test"})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return policy.New(list, policy.Limits{})
}

// onLoopback allows everything on this host, and nothing beyond.
func onLoopback(t testing.TB) *policy.Policy {
	return rules(t, "allow connect loopback", "allow listen loopback", "allow join multicast",
		"allow connect multicast")
}

// guest is a guest that runs while the test talks to it.
type guest struct {
	t     testing.TB
	g     *wasport.Guest
	lines *bufio.Reader
	errs  *bytes.Buffer
}

// start starts a guest with these arguments, allowed to do everything on loopback.
func start(t testing.TB, name string, args ...string) *guest {
	t.Helper()
	return startWith(t, context.Background(), wasport.Config{Policy: onLoopback(t)}, name, args...)
}

func startWith(t testing.TB, ctx context.Context, c wasport.Config, name string,
	args ...string) *guest {
	t.Helper()
	return startModule(t, ctx, c, module(t, name), name, args...)
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
		c.Trace = testLog{t}
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

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSuffix(b, []byte("\n")))
	return len(b), nil
}

// line reads the next line that the guest prints.
func (g *guest) line() string {
	g.t.Helper()
	s, err := g.lines.ReadString('\n')
	if err != nil {
		_, ended := g.g.Wait()
		g.t.Fatalf("the guest said %q and then %v; it ended with %v; stderr: %s", s, err, ended,
			g.errs)
	}
	return strings.TrimSuffix(s, "\n")
}

// expect reads lines, and compares.
func (g *guest) expect(lines ...string) {
	g.t.Helper()
	for _, want := range lines {
		if got := g.line(); got != want {
			g.t.Fatalf("the guest said %q, not %q", got, want)
		}
	}
}

// listening reads the line in which a server says where it is.
func (g *guest) listening() netip.AddrPort {
	g.t.Helper()
	var word, host string
	var port uint16
	line := g.line()
	if _, err := fmt.Sscan(line, &word, &host, &port); err != nil || word != "listening" {
		g.t.Fatalf("the guest said %q instead of where it listens", line)
	}
	return netip.AddrPortFrom(netip.MustParseAddr(host), port)
}

// ends waits for the guest's end with a status, and returns what it still printed.
func (g *guest) ends(code uint32) string {
	g.t.Helper()
	rest, _ := io.ReadAll(g.lines)
	status, err := g.g.Wait()
	if err != nil {
		g.t.Fatalf("the guest ended with %v; stderr: %s", err, g.errs)
	}
	if status.Code != code {
		g.t.Fatalf("the guest ended with status %d, not %d; stdout: %s; stderr: %s", status.Code,
			code, rest, g.errs)
	}
	return string(rest)
}

// run runs a guest to its end and returns what it printed.
func run(t testing.TB, code uint32, name string, args ...string) string {
	t.Helper()
	return start(t, name, args...).ends(code)
}

// families runs a test for IPv4 and for IPv6.
func families(t *testing.T, f func(t *testing.T, loopback, number string)) {
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

// listen listens on a loopback address, and serves each connection by f.
func listen(t testing.TB, ip string, f func(net.Conn)) (host, port string) {
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

// dial connects to a guest.
func dial(t testing.TB, a netip.AddrPort) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// say writes a text, hear reads what is expected.
func say(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func hear(t testing.TB, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if n, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("heard %q and %v, not %q", b[:n], err, want)
	}
}

// startPolicy starts a guest under a policy.
func startPolicy(t testing.TB, p *policy.Policy, name string, args ...string) *guest {
	t.Helper()
	return startWith(t, context.Background(), wasport.Config{Policy: p}, name, args...)
}

func port(a netip.AddrPort) string { return fmt.Sprint(a.Port()) }

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s\n%s", what, stacks())
		}
	}
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}
