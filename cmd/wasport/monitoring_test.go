package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/policy"
)

// testTimeout is how long a test waits for what should come at once.
const testTimeout = 20 * time.Second

// process is the command while it runs.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   *bufio.Reader
	mu    sync.Mutex
	errs  bytes.Buffer
	lines chan string // of stderr
}

// startWasport starts the command.
func startWasport(t *testing.T, args ...string) *process {
	t.Helper()
	r := &process{t: t, cmd: exec.Command("wasport", args...), lines: make(chan string, 1000)}
	r.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.out = bufio.NewReader(out)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(r.lines)
		for s := bufio.NewScanner(errs); s.Scan(); {
			r.mu.Lock()
			r.errs.WriteString(s.Text() + "\n")
			r.mu.Unlock()
			r.lines <- s.Text()
		}
	}()
	timer := time.AfterFunc(testTimeout, func() { r.cmd.Process.Kill() })
	t.Cleanup(func() {
		timer.Stop()
		r.cmd.Process.Kill()
		<-read
		r.cmd.Wait()
	})
	return r
}

// wait waits for the end, and returns the exit status and what was printed on stderr.
func (r *process) wait() (status int, errs string) {
	io.Copy(io.Discard, r.out)
	for range r.lines {
	}
	r.cmd.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cmd.ProcessState.ExitCode(), r.errs.String()
}

// waitForLine waits for a line on stderr.
func (r *process) waitForLine(pattern string) []string {
	r.t.Helper()
	for line := range r.lines {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(line); m != nil {
			return m
		}
	}
	r.t.Fatalf("it ended without telling %s", pattern)
	return nil
}

// guestAddr waits until a guest says where it listens; it is not valid if the guest has ended.
func (r *process) guestAddr() netip.AddrPort {
	line, _ := r.out.ReadString('\n')
	var word, host string
	var port uint16
	if _, err := fmt.Sscan(line, &word, &host, &port); err != nil || word != "listening" {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.MustParseAddr(host), port)
}

// exchangeTCP sends a line by TCP, and returns what comes back.
func exchangeTCP(t *testing.T, from string, to netip.AddrPort) string {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: testTimeout}
	c, err := d.Dial("tcp", to.String())
	if err != nil {
		t.Skip("not on this host: ", err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testTimeout))
	io.WriteString(c, "hello")
	c.(*net.TCPConn).CloseWrite()
	b, _ := io.ReadAll(c) // if it is not admitted, maybe with a reset
	return string(b)
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestReload changes the policy files of a guest that runs.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	net, ceiling := filepath.Join(dir, "net.toml"), filepath.Join(dir, "ceiling.toml")
	writeFile(t, net, `allow = ["listen tcp://127.0.0.1:0 from 127.0.0.1"]`)
	writeFile(t, ceiling, `allow = ["listen loopback"]`)
	r := startWasport(t, "run", "--policy", net, "--policy-ceiling="+ceiling,
		"--metrics=127.0.0.1:0",
		"../../internal/guests/tcp_server.wasm", "127.0.0.1", "3")
	metrics := r.waitForLine("^wasport: metrics are at (.*)$")[1]
	at := r.guestAddr()
	expect := func(from, want string) {
		t.Helper()
		if got := exchangeTCP(t, from, at); got != want {
			t.Errorf("%s hears %q, not %q", from, got, want)
		}
	}
	hangup := func(pattern string) {
		t.Helper()
		if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Skip(err)
		}
		r.waitForLine(pattern)
	}
	expect("127.0.0.2", "")
	expect("127.0.0.1", "hello")

	writeFile(t, net, `allow = ["listen tcp://127.0.0.1:0 from 127.0.0.2"]`)
	expect("127.0.0.2", "") // nothing has changed yet
	hangup("^wasport: read .*net.toml and .*ceiling.toml again; it holds from now on$")
	expect("127.0.0.1", "")
	expect("127.0.0.2", "hello")

	writeFile(t, net, "allow = [\n\"lisen any\"]")
	hangup(`^wasport: warning: the policy stays as it is: policy: .*net.toml:2:2: "lisen" is not an action; `)
	os.Remove(net)
	hangup(`^wasport: warning: the policy stays as it is: policy .*net.toml: `)
	writeFile(t, net, `allow = ["listen any"]`)
	writeFile(t, ceiling, "x")
	hangup(`^wasport: warning: the policy stays as it is: policy: .*ceiling.toml:1:`)
	expect("127.0.0.1", "")

	want := []string{
		`wasport_decisions_total{action="accept",decision="allowed"} 2`,
		`wasport_decisions_total{action="accept",decision="denied"} 4`,
		`wasport_decisions_total{action="bind",decision="allowed"} 1`,
		`wasport_decisions_total{action="connect",decision="allowed"} 0`,
		`wasport_dropped_connections_total 4`,
		`wasport_open_sockets 1`, // or 2 until the guest has seen that nobody else is waiting
		`wasport_sent_bytes_total 10`,
		`wasport_received_bytes_total 10`,
		`# TYPE wasport_open_sockets gauge`,
		`# TYPE wasport_sent_bytes_total counter`,
	}
	var text string
	missing := func(line string) bool { return !strings.Contains(text, line+"\n") }
	for deadline := time.Now().Add(testTimeout / 2); ; {
		reply, err := http.Get(metrics)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
		i := slices.IndexFunc(want, missing)
		if i < 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("there is no %q in\n%s", want[i], text)
			break
		}
	}
	expect("127.0.0.2", "hello")
	if status, errs := r.wait(); status != 0 {
		t.Errorf("exit status %d; %s", status, errs)
	}
}

// demoScript is a demo guest, its arguments, and what its peer does.
type demoScript struct {
	guest string
	args  []string
	flags []string
	peer  func(t *testing.T, r *process)
	rules []string // that it needs; TOML would sort them so
}

// demoScripts are the scripts of all demo guests. Their peers are there until the end of the test.
func demoScripts(t *testing.T) []demoScript {
	server, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	server.Set("guide.wasport.test", dnstest.Addrs("127.0.0.1", "::1"))

	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		stream.Close()
		packets.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			c, err := stream.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 64)) // or closing it would be a reset
			io.WriteString(c, "welcome")
			c.Close()
		}
	})
	serving.Go(func() {
		for b := make([]byte, 64); ; {
			_, from, err := packets.ReadFrom(b)
			if err != nil {
				return
			}
			packets.WriteTo([]byte("pong"), from)
		}
	})
	port := func(a net.Addr) string {
		return fmt.Sprint(netip.MustParseAddrPort(a.String()).Port())
	}
	return []demoScript{
		{
			guest: "demo_lookup", args: []string{"guide.wasport.test"},
			flags: []string{"--resolver", server.Addr()},
			rules: []string{"allow resolve guide.wasport.test"},
		},
		{
			guest: "demo_refused", args: []string{"10.0.0.5", "5432"},
			flags: []string{"--deny-connect", "private"},
		},
		{
			guest: "demo_tcp_client", args: []string{"127.0.0.1", port(stream.Addr())},
			rules: []string{"allow connect tcp://" + stream.Addr().String()},
		},
		{
			guest: "demo_udp_client", args: []string{"127.0.0.1", port(packets.LocalAddr())},
			rules: []string{"allow connect udp://" + packets.LocalAddr().String()},
		},
		{
			guest: "demo_tcp_server", args: []string{"127.0.0.1"},
			rules: []string{"allow listen tcp://127.0.0.1:0 from loopback"},
			peer: func(t *testing.T, r *process) {
				if at := r.guestAddr(); at.IsValid() {
					if got := exchangeTCP(t, "127.0.0.1", at); got != "welcome to the sandbox" {
						t.Errorf("the server says %q", got)
					}
				}
			},
		},
		{
			guest: "demo_udp_server", args: []string{"127.0.0.1"},
			rules: []string{"allow listen udp://127.0.0.1:0 from loopback"},
			peer: func(t *testing.T, r *process) {
				at := r.guestAddr()
				if !at.IsValid() {
					return
				}
				c, err := net.Dial("udp", at.String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				c.SetDeadline(time.Now().Add(testTimeout))
				io.WriteString(c, "ping")
				b := make([]byte, 64)
				if n, err := c.Read(b); err != nil || string(b[:n]) != "pong" {
					t.Errorf("the server says %q, %v", b[:n], err)
				}
			},
		},
	}
}

// run runs a script, and returns the guest's exit status.
func (s *demoScript) run(t *testing.T, flags ...string) (status int, errs string) {
	t.Helper()
	args := append([]string{"run"}, s.flags...)
	args = append(append(args, flags...), "../../internal/guests/demo/"+s.guest+".wasm")
	r := startWasport(t, append(args, s.args...)...)
	if s.peer != nil {
		s.peer(t, r)
	}
	return r.wait()
}

// TestLearnDemos learns what each of the demo guests needs: with that it runs, and without any part
// of it it does not.
func TestLearnDemos(t *testing.T) {
	tested := make(map[string]bool)
	for _, s := range demoScripts(t) {
		tested[s.guest+".wasm"] = true
		t.Run(s.guest, func(t *testing.T) {
			learnt := filepath.Join(t.TempDir(), "learnt.toml")
			if status, errs := s.run(t, "--learn", learnt); status != 0 {
				t.Fatalf("while it is learnt from: status %d; %s", status, errs)
			}
			text, err := os.ReadFile(learnt)
			if err != nil {
				t.Fatal(err)
			}
			p, err := policy.Parse(learnt, text)
			if err != nil {
				t.Fatal(err)
			}
			rules := p.Rules()
			var got []string
			for _, r := range rules {
				got = append(got, r.String())
			}
			if strings.Join(got, "\n") != strings.Join(s.rules, "\n") {
				t.Errorf("learnt %q, not %q", got, s.rules)
			}
			if status, errs := s.run(t, "--policy", learnt); status != 0 {
				t.Errorf("under what was learnt: status %d; %s", status, errs)
			}
			for i, r := range rules {
				less := append(append([]policy.Rule(nil), rules[:i]...), rules[i+1:]...)
				writeFile(t, learnt, string(policy.New(less, policy.Limits{}).TOML()))
				if status, _ := s.run(t, "--policy", learnt); status == 0 {
					t.Errorf("it runs without %v", r)
				}
			}
		})
	}
	all, err := filepath.Glob("../../internal/guests/demo/*.wasm")
	if err != nil || len(all) == 0 {
		t.Fatal(err)
	}
	for _, file := range all {
		if !tested[filepath.Base(file)] {
			t.Errorf("%s is not tested", file)
		}
	}
}

// TestHints runs guests that are refused something, adds the flag that the refusal names, and goes
// on until nothing is refused. Then it tries what is next to that, which must still be refused.
func TestHints(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("hints are for a shell")
	}
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := netip.MustParseAddrPort(taken.LocalAddr().String()).Port()
	for _, test := range []struct {
		name   string
		run    string   // flags and guest
		hints  []string // in the order in which they come
		beside []string // runs that are refused even with all of these flags
	}{
		{"connect", "tcp_client.wasm 127.0.0.1 9 x", []string{"--allow-connect tcp://127.0.0.1:9"},
			[]string{"tcp_client.wasm 127.0.0.1 10 x", "tcp_client.wasm 127.0.0.2 9 x",
				"udp_client.wasm 127.0.0.1 9 x", "tcp_client.wasm ::1 9 x"}},
		{"connect by IPv6", "tcp_client.wasm ::1 9 x", []string{`--allow-connect "tcp://[::1]:9"`},
			[]string{"tcp_client.wasm ::1 10 x", "tcp_client.wasm 127.0.0.1 9 x",
				"udp_client.wasm ::1 9 x"}},
		{"connect to what stands for another", "tcp_client.wasm ::ffff:127.0.0.1 9 x",
			[]string{"--allow-connect tcp://127.0.0.1:9"},
			[]string{"tcp_client.wasm ::ffff:127.0.0.2 9 x"}},
		{"connect to 0.0.0.0", "tcp_client.wasm 0.0.0.0 9 x",
			[]string{"--allow-connect tcp://127.0.0.1:9"}, nil},
		{"besides other rules",
			"--allow-connect '*' --allow-connect tcp://127.0.0.1:10 tcp_client.wasm 127.0.0.1 9 x",
			[]string{"--allow-connect tcp://127.0.0.1:9"},
			[]string{"tcp_client.wasm 127.0.0.2 9 x"}},
		{"send", fmt.Sprintf("--timeout 300ms udp_client.wasm 127.0.0.1 %d x", port),
			[]string{fmt.Sprintf("--allow-connect udp://127.0.0.1:%d", port)},
			[]string{fmt.Sprintf("udp_client.wasm 127.0.0.2 %d x", port),
				fmt.Sprintf("tcp_client.wasm 127.0.0.1 %d x", port)}},
		{"serve TCP", "tcp_server.wasm 127.0.0.1 0", []string{"--allow-listen tcp://127.0.0.1:0"},
			[]string{"tcp_server.wasm 127.0.0.2 0", "udp_server.wasm 127.0.0.1 0",
				"tcp_client.wasm 127.0.0.1 9 x"}},
		{"serve UDP", "udp_server.wasm 127.0.0.1 0", []string{"--allow-listen udp://127.0.0.1:0"},
			[]string{"tcp_server.wasm 127.0.0.1 0", "udp_server.wasm 0.0.0.0 0"}},
		{"serve everywhere", "tcp_server.wasm 0.0.0.0 0",
			[]string{"--allow-listen tcp://0.0.0.0:0"},
			[]string{"tcp_server.wasm 127.0.0.1 0", "tcp_server.wasm :: 0"}},
		{"look up", "--hosts db.test=127.0.0.8 lookup.wasm DB.test. 80 4 tcp",
			[]string{"--allow-resolve db.test"},
			[]string{"lookup.wasm x.db.test 80 4 tcp", "lookup.wasm other.test 80 4 tcp"}},
		{"look up what becomes loopback",
			"--hosts db.test=127.0.0.8 --allow-connect db.test:5432 lookup.wasm db.test 5432 4 tcp",
			[]string{"--allow-connect 127.0.0.8:5432"},
			[]string{"tcp_client.wasm 127.0.0.8 9 x", "tcp_client.wasm 127.0.0.9 5432 x"}},
		{"look up what becomes many addresses inside",
			"--hosts db.test=127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5,127.0.0.6,127.0.0.7 " +
				"--allow-connect tcp://db.test:5432 lookup.wasm db.test 5432 4 tcp",
			[]string{`--allow-connect "tcp://127.0.0.2:5432 tcp://127.0.0.3:5432 tcp://127.0.0.4:5432 tcp://127.0.0.5:5432 ` +
				`tcp://127.0.0.6:5432 tcp://127.0.0.7:5432"`},
			[]string{"udp_client.wasm 127.0.0.7 5432 x", "tcp_client.wasm 127.0.0.8 5432 x"}},
		{"join", "multicast.wasm receive 239.1.2.3 127.0.0.1 0",
			[]string{"--allow-listen udp://0.0.0.0:0", "--allow-join udp://239.1.2.3",
				"--allow-listen udp://127.0.0.1:0"},
			[]string{"multicast.wasm receive 239.1.2.4 127.0.0.1 0"}},
		{"send to a group", "multicast.wasm send 239.1.2.3 9 127.0.0.1 x",
			[]string{"--allow-listen udp://127.0.0.1:0",
				"--allow-connect udp://239.1.2.3:9"},
			[]string{"multicast.wasm send 239.1.2.4 9 127.0.0.1 x",
				"multicast.wasm receive 239.1.2.3 127.0.0.1 0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(test.name, "IPv6") {
				if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
					t.Skip("this host has no IPv6")
				} else {
					l.Close()
				}
			}
			shell := func(flags, run string) string {
				words := regexp.MustCompile(`(\w+\.wasm)`).ReplaceAllString(run,
					"../../internal/guests/$1")
				cmd := exec.Command("sh", "-c", "exec wasport run "+flags+" "+words)
				cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
				var errs bytes.Buffer
				cmd.Stderr = &errs
				cmd.Run()
				return errs.String()
			}
			hint := regexp.MustCompile(`(?m)^         to (?:allow it|leave it in): (?:.* if it is a server: )?(--.*)$`)
			flags := ""
			for _, want := range test.hints {
				said := shell(flags, test.run)
				m := hint.FindStringSubmatch(said)
				if m == nil {
					t.Fatalf("with %q it says %s", flags, said)
				}
				if m[1] != want {
					t.Fatalf("the hint is %q, not %q", m[1], want)
				}
				flags += " " + m[1]
			}
			if said := shell(flags, test.run); strings.Contains(said, "denied") ||
				strings.Contains(said, "left") {
				t.Errorf("with %q it says %s", flags, said)
			}
			for i := range test.hints { // none is too many
				less := " " + strings.Join(slices.Delete(slices.Clone(test.hints), i, i+1), " ")
				if said := shell(less, test.run); !strings.Contains(said, "wasport: denied ") &&
					!strings.Contains(said, "wasport: left ") {
					t.Errorf("without %q it says %s", test.hints[i], said)
				}
			}
			for _, run := range test.beside {
				if said := shell(flags, run); !strings.Contains(said, "wasport: denied ") {
					t.Errorf("with %q %q says %s", flags, run, said)
				}
			}
		})
	}
}

// TestHintForLocalhost follows the hint for a rule with the name of loopback: it has the syntax of
// the command line.
func TestHintForLocalhost(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("hints are for a shell")
	}
	shell := func(flags, run string) string {
		cmd := exec.Command("sh", "-c", "exec wasport run "+flags+" ../../internal/guests/"+run)
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	said := shell("--allow-connect tcp://localhost:9", "tcp_client.wasm 127.0.0.1 9 x")
	m := regexp.MustCompile(`; write (--.*) and (--.*)\n`).FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("got %s, want flags to write", said)
	}
	connect, resolve := m[1], m[2]
	if want := `--allow-connect "tcp://127.0.0.1:9 tcp://[::1]:9"`; connect != want ||
		resolve != "--allow-resolve localhost" {
		t.Errorf("got %s and %s, want %s and --allow-resolve localhost", connect, resolve, want)
	}
	for _, run := range []string{"tcp_client.wasm 127.0.0.1 9 x", "lookup.wasm localhost 9 4 tcp"} {
		if said := shell(connect+" "+resolve, run); strings.Contains(said, "denied") {
			t.Errorf("%s: got %s, want nothing denied", run, said)
		}
	}
	for flags, run := range map[string]string{connect: "lookup.wasm localhost 9 4 tcp",
		resolve: "tcp_client.wasm 127.0.0.1 9 x"} {
		if said := shell(flags, run); !strings.Contains(said, "denied") {
			t.Errorf("%s: got %s with %s alone, want it denied", run, said, flags)
		}
	}
	if said := shell(connect+" "+resolve, "tcp_client.wasm 127.0.0.1 10 x"); !strings.Contains(said,
		"denied") {
		t.Errorf("another port: got %s, want it denied", said)
	}
}
