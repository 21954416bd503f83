package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/policy"
)

// startComponent starts a component guest, allowed to do everything on loopback.
func startComponent(t testing.TB, name string, args ...string) *guest {
	t.Helper()
	return startModule(t, context.Background(), wasport.Config{Policy: loopbackPolicy(t)},
		compileComponent(t, name), name, args...)
}

func TestComponentOutput(t *testing.T) {
	for _, test := range []struct {
		name   string
		config wasport.Config
		want   string
	}{
		{"hello", wasport.Config{}, "hello from a component\n"},
		{"args", wasport.Config{Args: []string{"args", "a b", "é", ""},
			Env: []string{"A=1", "B=c=d", "EMPTY="}}, "args\na b\né\n\nA=1\nB=c=d\nEMPTY=\n"},
		{"stdin", wasport.Config{Stdin: strings.NewReader("some input")},
			"some input\n10 bytes\n"},
		{"stdin", wasport.Config{}, "\n0 bytes\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			test.config.Stdout = &out
			status, err := compileComponent(t, test.name).Run(context.Background(), test.config)
			if got := out.String(); err != nil || status.Code != 0 || got != test.want {
				t.Errorf("got status %d, %v and %q, want 0 and %q", status.Code, err, got,
					test.want)
			}
		})
	}
}

// TestComponentInRust starts a thread in std. That fails, and the program goes on.
func TestComponentInRust(t *testing.T) {
	dir := t.TempDir()
	text := []byte("first\nsecond\n")
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	g := startModule(t, context.Background(), wasport.Config{Env: []string{"RUST=std::env"},
		Dirs: []wasport.Dir{{Host: dir, Guest: "/"}}}, compileComponent(t, "threads"), "threads",
		"a.txt")
	g.expectLines("spawn: Unsupported", "RUST=std::env", "first")
	g.waitExit(0)
}

func TestComponentStatus(t *testing.T) {
	for _, test := range []struct {
		how  string
		want uint32
	}{
		{"ok", 0}, {"error", 1}, {"exit-ok", 0}, {"exit-error", 1}, {"0", 0}, {"7", 7},
		{"255", 255},
	} {
		t.Run(test.how, func(t *testing.T) {
			if got := startComponent(t, "exit", test.how).waitExit(test.want); got != "" {
				t.Errorf("got output %q, want none", got)
			}
		})
	}
	t.Run("in an inner component", func(t *testing.T) {
		startComponent(t, "exit_nested").waitExit(5)
	})
}

// TestComponentConfig starts components with a configuration that only core modules can have.
func TestComponentConfig(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, test := range []struct {
		name, want string
		config     wasport.Config
	}{
		{"function", "only core modules have functions", wasport.Config{Function: "run"}},
		{"parameters", "a component takes no parameters", wasport.Config{Params: []uint64{1}}},
		{"sockets", "cannot be given open sockets",
			wasport.Config{Sockets: []syscall.Conn{l.(*net.TCPListener)}}},
		{"argument", "UTF-8", wasport.Config{Args: []string{"a", "\xff"}}},
		{"variable", "UTF-8", wasport.Config{Env: []string{"A=\xff"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := compileComponent(t, "hello").Run(context.Background(), test.config)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestComponentTCP(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		server := startComponent(t, "tcp_server", ip, "2")
		at := server.readListenAddr()
		c := dialGuest(t, at)
		server.expectLines("accepted " + strings.Join(splitAddr(c.LocalAddr()), " "))
		writeText(t, c, "first")
		expectText(t, c, "first")
		c.CloseWrite()
		server.expectLines("closed 5 bytes")

		client := startComponent(t, "tcp_client", ip, portText(at), "a line")
		client.expectLines("connected " + ip + " " + portText(at))
		server.readLine()
		client.expectLines("received a line")
		client.waitExit(0)
		server.expectLines("closed 7 bytes")
		server.waitExit(0)
	})
}

func TestComponentUDP(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		server := startComponent(t, "udp_server", ip, "1")
		at := server.readListenAddr()
		client := startComponent(t, "udp_client", ip, portText(at), "datagram")
		if got, want := server.readLine(), " 8 bytes"; !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want it to end in %q", got, want)
		}
		client.expectLines("received datagram from " + ip + " " + portText(at))
		client.waitExit(0)
		server.waitExit(0)
	})
}

// TestComponentBesideModule lets a component talk to a core module.
func TestComponentBesideModule(t *testing.T) {
	server := startGuest(t, "tcp_server", "127.0.0.1", "1")
	at := server.readListenAddr()
	client := startComponent(t, "tcp_client", "127.0.0.1", portText(at), "hello module")
	client.expectLines("connected 127.0.0.1 " + portText(at))
	server.readLine()
	client.expectLines("received hello module")
	client.waitExit(0)
	server.expectLines("closed 13 bytes")
	server.waitExit(0)
}

// TestComponentRefused runs a component under a policy that does not allow what it does.
func TestComponentRefused(t *testing.T) {
	for _, test := range []struct {
		name, rule, want string
		args             []string
	}{
		{"tcp_client", "allow connect tcp://127.0.0.1:1", "start-connect: error 1",
			[]string{"127.0.0.1", "2", "x"}},
		{"tcp_client", "allow connect udp://127.0.0.1:1", "create-tcp-socket: error 1",
			[]string{"127.0.0.1", "2", "x"}},
		{"tcp_server", "allow connect tcp://127.0.0.1:1", "start-bind: error 1",
			[]string{"127.0.0.1", "1"}},
		{"udp_client", "allow connect tcp://127.0.0.1:1", "create-udp-socket: error 1",
			[]string{"127.0.0.1", "2", "x"}},
	} {
		t.Run(test.name+" with "+test.rule, func(t *testing.T) {
			g := startModule(t, context.Background(),
				wasport.Config{Policy: testutil.Policy(t, test.rule)},
				compileComponent(t, test.name), test.name, test.args...)
			g.expectLines(test.want)
			g.waitExit(1)
		})
	}
}

// TestComponentTraps runs components that trap, and compares the reason and the stack.
func TestComponentTraps(t *testing.T) {
	for _, test := range []struct{ name, reason, stack string }{
		{"trap_destructor", "destructor: unreachable", "destructor.fail()\ndestructor.$1(i32)\n" +
			"host.resource.drop(i32)\nmain.discard()\nmain.$3() i32"},
		{"handles", "wasi:cli/stdout.get-stdout: the guest has more than 65536 resources of WASI",
			"host.wasi:cli/stdout.get-stdout() i32\nmain.run() i32"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := compileComponent(t, test.name).Run(context.Background(), wasport.Config{})
			trap := (*wasport.Trap)(nil)
			if !errors.As(err, &trap) || trap.Reason != test.reason || trap.Stack != test.stack {
				t.Errorf("got %v with the stack\n%s\nwant the reason %q with the stack\n%s", err,
					trapStack(trap), test.reason, test.stack)
			}
		})
	}
	t.Run("recursion", func(t *testing.T) {
		_, err := compileComponent(t, "recursion").Run(context.Background(), wasport.Config{})
		trap := (*wasport.Trap)(nil)
		if !errors.As(err, &trap) || !strings.HasSuffix(trap.Reason, ": stack overflow") ||
			!strings.Contains(trap.Stack, "main.again(i64) i64\nthere.$0(i64) i64\n") {
			t.Errorf("got %v with the stack\n%s\nwant a stack overflow of both modules", err,
				trapStack(trap))
		}
	})
}

func trapStack(t *wasport.Trap) string {
	if t == nil {
		return ""
	}
	return t.Stack
}

// TestComponentMemory lets a component with two memories take all that it may have.
func TestComponentMemory(t *testing.T) {
	const page = 64 << 10
	for _, pages := range []uint64{2, 3, 10, 100} {
		var limits int
		status, err := compileComponent(t, "memories").Run(context.Background(), wasport.Config{
			MaxMemory: pages * page,
			OnLimit: func(name string, limit int) {
				if name != "memory" || limit != int(pages*page) {
					t.Errorf("got the limit %s = %d, want memory = %d", name, limit, pages*page)
				}
				limits++
			},
		})
		if err != nil || uint64(status.Code) != pages || limits == 0 {
			t.Errorf("got %d pages, %v and %d refusals, want %d pages and a refusal", status.Code,
				err, limits, pages)
		}
	}
	_, err := compileComponent(t, "memories").Run(context.Background(),
		wasport.Config{MaxMemory: page})
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("got %v with a limit of one page, want an error", err)
	}
}

// TestComponentTrace traces a client and compares the calls without their times.
func TestComponentTrace(t *testing.T) {
	server := startGuest(t, "tcp_server", "127.0.0.1", "1")
	at := server.readListenAddr()
	go io.Copy(io.Discard, server.stdout)
	var trace, out bytes.Buffer
	_, err := compileComponent(t, "tcp_client").Run(context.Background(), wasport.Config{
		Args:   []string{"tcp_client", "127.0.0.1", portText(at), "hi"},
		Policy: loopbackPolicy(t), Trace: &trace, Stdout: &out,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`get-arguments() = ["tcp_client", "127.0.0.1", "` + portText(at) + `", "hi"] <`,
		"create-tcp-socket(ipv4) = ok 1 <", "instance-network() = 2 <",
		"tcp-socket.start-connect(1, 2, " + at.String() + ") = ok <",
		"tcp-socket.subscribe(1) = 3 <", "pollable.block(3) <",
		"tcp-socket.finish-connect(1) = ok (3, 4) <",
		"tcp-socket.remote-address(1) = ok " + at.String() + " <",
		"output-stream.check-write(4) = ok 65536 <", `output-stream.write(4, "hi") = ok <`,
		`input-stream.blocking-read(3, 65536) = ok "hi`,
		"input-stream.drop(3) <", "output-stream.drop(4) <", "tcp-socket.drop(1) <",
	} {
		if !strings.Contains("\n"+trace.String(), "\n"+want) {
			t.Errorf("got no line that begins with %s\nin\n%s", want, &trace)
		}
	}
}

// TestComponentLearns lets a component and the core module that does the same learn, and compares
// the rules.
func TestComponentLearns(t *testing.T) {
	host, port := serveTCP(t, "127.0.0.1", func(c net.Conn) { io.Copy(c, c) })
	udp := startGuest(t, "udp_server", "127.0.0.1", "2")
	udpPort := portText(udp.readListenAddr())
	go io.Copy(io.Discard, udp.stdout)
	for _, test := range []struct {
		name         string
		args, module []string
	}{
		{"tcp_client", []string{host, port, "x"}, nil},
		{"udp_client", []string{"127.0.0.1", udpPort, "x"}, nil},
		{"tcp_server", []string{"127.0.0.1", "0"}, nil},
		{"udp_server", []string{"127.0.0.1", "0"}, nil},
		{"lookup", []string{"localhost"}, []string{"localhost", "-", "any", "tcp"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			learn := func(m *wasport.Module, args []string) string {
				var l policy.Learner
				_, err := m.Run(context.Background(), wasport.Config{
					Args: append([]string{test.name}, args...), Learner: &l,
					Policy: testutil.Policy(t, "allow connect loopback", "allow listen loopback",
						"allow resolve localhost"),
				})
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprint(l.Rules())
			}
			if test.module == nil {
				test.module = test.args
			}
			got := learn(compileComponent(t, test.name), test.args)
			want := learn(compileGuest(t, test.name), test.module)
			if got != want || got == "[]" {
				t.Errorf("the component learnt %s, the core module %s, want the same rules", got,
					want)
			}
		})
	}
}
