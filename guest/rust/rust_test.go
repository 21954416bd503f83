package rustguest_test

import (
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
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// program is one source in two forms, native and guest. policy is the guest's.
type program struct {
	native string
	guest  *wasport.Module
	policy *policy.Policy
}

// newProgram compiles a source in both forms. lines are the guest's rules.
func newProgram(t *testing.T, source string, lines ...string) program {
	t.Helper()
	native, _ := toolchains(t)
	return program{native.build(t, source), compileGuest(t, source),
		testutil.Policy(t, lines...)}
}

// run runs a form, "natively" or "as a guest", with stdout to w, and returns the exit status.
func (p program) run(t *testing.T, form string, w io.Writer, args ...string) int {
	if form == "natively" {
		cmd := exec.CommandContext(t.Context(), p.native, args...)
		cmd.Stdout = w
		if err := cmd.Run(); cmd.ProcessState == nil {
			t.Errorf("%v: got %v, want a process", cmd, err)
			return -1
		}
		return cmd.ProcessState.ExitCode()
	}
	status, err := p.guest.Run(t.Context(), wasport.Config{
		Args: append([]string{"guest"}, args...), Stdout: w, Stderr: io.Discard, Policy: p.policy,
	})
	if err != nil {
		t.Errorf("guest %q: got %v, want no error", args, err)
	}
	return int(status.Code)
}

var forms = []string{"natively", "as a guest"}

// compare runs both forms, which must print the same and exit with the same status, and returns the
// guest's output.
func (p program) compare(t *testing.T, args ...string) string {
	t.Helper()
	var out [2]bytes.Buffer
	var status [2]int
	for i, form := range forms {
		status[i] = p.run(t, form, &out[i], args...)
	}
	if want, got := out[0].String(), out[1].String(); got != want || status[0] != status[1] {
		t.Errorf("got (-) status %d, want (+) the native status %d and output:\n%s",
			status[1], status[0], testutil.Diff(got, want))
	}
	return out[1].String()
}

// TestGuestPrintsSameAsNativeProgram calls each function of the crate and its equal in std::net.
func TestGuestPrintsSameAsNativeProgram(t *testing.T) {
	for _, source := range []string{"testdata/wire.rs", "examples/udp_pair.rs"} {
		p := newProgram(t, source, "allow connect loopback", "allow listen any",
			"allow connect udp://239.1.2.3", "allow join any", "allow resolve localhost",
			"allow resolve *.invalid")
		for _, host := range []string{"127.0.0.1", "::1"} {
			t.Run(filepath.Base(source)+" "+host, func(t *testing.T) {
				if got := p.compare(t, host); strings.Contains(got, "ended by") {
					t.Errorf("got a part that ended early, want all to finish:\n%s", got)
				}
			})
		}
	}
}

// TestEchoServerWithConcurrentClients has each client send more than the socket buffers hold, so
// that the server must also wait until its sockets are writable.
func TestEchoServerWithConcurrentClients(t *testing.T) {
	const clients, size = 20, 1 << 20
	p := newProgram(t, "examples/echo.rs", "allow listen loopback")
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		for _, form := range forms {
			t.Run(address+" "+form, func(t *testing.T) {
				r, w := io.Pipe()
				defer r.Close()
				done := make(chan int, 1)
				go func() {
					done <- p.run(t, form, w, address, fmt.Sprint(clients))
					w.Close()
				}()
				var addr string
				if _, err := fmt.Fscanf(r, "listening on %s\n", &addr); err != nil {
					t.Fatal(err)
				}
				var all sync.WaitGroup
				for i := range clients {
					all.Go(func() { echo(t, addr, bytes.Repeat([]byte{byte(i)}, size)) })
				}
				all.Wait()
				got, _ := io.ReadAll(r)
				want := fmt.Sprintf("%d connections, %d bytes\n", clients, clients*size)
				if status := <-done; string(got) != want || status != 0 {
					t.Errorf("got %q and status %d, want %q and 0", got, status, want)
				}
			})
		}
	}
}

// echo sends data and checks that it comes back.
func echo(t *testing.T, addr string, data []byte) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	go func() {
		c.Write(data)
		c.(*net.TCPConn).CloseWrite()
	}()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v, want the %d that were sent", len(got), err, len(data))
	}
}

// TestHTTPClientByAddressAndName fetches pages with and without permission.
func TestHTTPClientByAddressAndName(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1", "localhost"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/page" {
					http.NotFound(w, r)
					return
				}
				io.WriteString(w, strings.Repeat("a line\n", 10_000))
			})}
		go server.Serve(l)
		defer server.Close()

		_, port, _ := net.SplitHostPort(l.Addr().String())
		url := "http://" + net.JoinHostPort(host, port)
		granted := newProgram(t, "examples/get.rs", "allow connect "+
			"tcp://"+l.Addr().String(), "allow resolve localhost")
		for path, want := range map[string]string{
			"/page": "HTTP/1.0 200 OK\na line\na line\n", "/none": "HTTP/1.0 404 Not Found\n",
		} {
			t.Run(host+path, func(t *testing.T) {
				if got := granted.compare(t, url+path); !strings.HasPrefix(got, want) {
					t.Errorf("got %.100q, want it to begin with %q", got, want)
				}
			})
		}
		t.Run(host+" not granted", func(t *testing.T) {
			var out bytes.Buffer
			p := newProgram(t, "examples/get.rs", "allow connect tcp://127.0.0.1:1")
			status := p.run(t, "as a guest", &out, url+"/page")
			if want := "PermissionDenied\n"; out.String() != want || status != 1 {
				t.Errorf("got %q and status %d, want %q and 1", out.String(), status, want)
			}
		})
	}
}

// TestListenerFromInheritedDescriptor has a guest accept on a listener that the host opened.
func TestListenerFromInheritedDescriptor(t *testing.T) {
	module := compileGuest(t, "testdata/handed.rs")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	status, err := module.Run(t.Context(), wasport.Config{
		Stderr: os.Stderr, Sockets: []syscall.Conn{l.(*net.TCPListener)},
	})
	if err != nil || status.Code != 0 {
		t.Fatalf("got status %d, %v, want 0", status.Code, err)
	}
	got, err := io.ReadAll(c)
	if want := "hello " + c.LocalAddr().String(); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// TestRefusalIsPermissionDenied tries each operation that a policy can refuse.
func TestRefusalIsPermissionDenied(t *testing.T) {
	// These rules let a datagram socket bind to a port of the host's choice.
	p := newProgram(t, "testdata/denied.rs", "allow connect udp://127.0.0.1:1",
		"allow connect udp://[::1]:1")
	var out bytes.Buffer
	if status := p.run(t, "as a guest", &out); status != 0 {
		t.Errorf("got status %d, want 0", status)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 12 {
		t.Errorf("got %d lines, want 12", len(lines))
	}
	for _, line := range lines {
		name, got, _ := strings.Cut(line, ": ")
		t.Run(name, func(t *testing.T) {
			if want := "PermissionDenied"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestLookupErrorKinds has lookups fail in each way, and checks the kind of io::Error.
func TestLookupErrorKinds(t *testing.T) {
	server, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.Set("both.test", dnstest.Addrs("192.0.2.1", "2001:db8::1"))
	server.Set("broken.test", dnstest.Answer{Code: dnsmessage.RCodeServerFailure})
	closed := testutil.ClosedPort(t, "127.0.0.1").String()
	module := compileGuest(t, "testdata/denied.rs")
	for _, test := range []struct{ name, server, want string }{
		{"both.test", server.Addr(), "[192.0.2.1:0, [2001:db8::1]:0]"},
		{"nobody.test", server.Addr(), "NotFound"},
		{"broken.test", server.Addr(), "Other"},
		{"both.test", closed, "TimedOut"},
		{"other.example", server.Addr(), "PermissionDenied"},
		{"192.0.2.7", server.Addr(), "[192.0.2.7:0]"},
		{"2001:db8::7", server.Addr(), "[[2001:db8::7]:0]"},
	} {
		t.Run(test.name+" "+test.want, func(t *testing.T) {
			var out bytes.Buffer
			_, err := module.Run(t.Context(), wasport.Config{
				Args: []string{"guest", test.name}, Stdout: &out, Stderr: io.Discard,
				Policy:  testutil.Policy(t, "allow resolve *.test"),
				Network: kernel.New(kernel.Config{Server: test.server}),
			})
			want := test.name + ": " + test.want + "\n"
			if got := out.String(); err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
}

// TestDocumentedExamples runs the examples in the crate's documents, natively and as guests of the
// command (rustdoc, --runtool).
func TestDocumentedExamples(t *testing.T) {
	native, wasi := toolchains(t)
	for _, c := range []toolchain{native, wasi} {
		t.Run("target "+c.target, func(t *testing.T) {
			c.build(t, "examples/udp_pair.rs")
			flags := []string{"--test", "--crate-name=wasport_net", "--extern=wasport_net",
				"src/lib.rs"}
			if c.target != "" {
				flags = append(flags, "-Zunstable-options", "--runtool", buildWasport(t))
				for _, arg := range []string{"run", "--allow-connect=loopback",
					"--allow-listen=loopback", "--allow-join=239.1.2.3",
					"--allow-resolve=localhost"} {
					flags = append(flags, "--runtool-arg", arg)
				}
			}
			cmd := c.command("rustdoc", flags...)
			cmd.Env = append(os.Environ(), "RUSTC_BOOTSTRAP=1") // --runtool is not stable
			text, err := cmd.CombinedOutput()
			if passed := regexp.MustCompile(`(\d+) passed; 0 failed; 0 ignored`).
				FindSubmatch(text); err != nil || passed == nil || string(passed[1]) == "0" {
				t.Errorf("got %v, want examples that pass:\n%s", err, text)
			}
		})
	}
}

// buildWasport builds the command and returns its file.
func buildWasport(t *testing.T) string {
	t.Helper()
	file := filepath.Join(built.dir, "wasport")
	out, err := exec.Command("go", "build", "-o", file,
		"github.com/wasport/wasport/cmd/wasport").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: got %v, want no error\n%s", err, out)
	}
	return file
}
