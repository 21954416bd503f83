//go:build unix

package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// exchangeUnix sends "hello" to a path, and returns the answer.
func exchangeUnix(t *testing.T, path string) string {
	t.Helper()
	c, err := net.DialTimeout("unix", path, testTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testTimeout))
	io.WriteString(c, "hello")
	c.(*net.UnixConn).CloseWrite()
	b, _ := io.ReadAll(c)
	return string(b)
}

// TestListenOnUnixPath serves a connection at a path, which is gone afterwards. A second run does
// not take the path while the first one listens.
func TestListenOnUnixPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	guest := root + "/internal/guests/listen_fd.wasm"
	p := startWasport(t, "run", "--listen", "unix:"+path, guest)
	const listening = "listening ? 0\n" // neither of IPv4 nor of IPv6
	if got, err := p.out.ReadString('\n'); got != listening {
		t.Errorf("got %q, %v, want %q", got, err, listening)
	}
	second := startWasport(t, "run", "--listen", "unix:"+path, guest)
	want := "wasport: --listen unix:" + path + ": another program listens there\n"
	if status, stderr := second.wait(); status != 1 || stderr != want {
		t.Errorf("a second run: got status %d and %q, want 1 and %q", status, stderr, want)
	}
	// The first one has not noticed.
	if got := exchangeUnix(t, path); got != "hello" {
		t.Errorf("got %q, want %q", got, "hello")
	}
	if status, stderr := p.wait(); status != 0 || stderr != "" {
		t.Errorf("got status %d and %q, want 0", status, stderr)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("after the end: got %v, want no file", err)
	}

	// Without a policy file to read again, SIGHUP ends the guest as the other signals do, unless
	// it is ignored, as nohup(1) leaves it to the tests. A handled signal is not (execve(2)).
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	p = startWasport(t, "run", "--listen", "unix:"+path, guest)
	p.guestAddr()
	p.cmd.Process.Signal(syscall.SIGHUP)
	if status, _ := p.wait(); status != 128+int(syscall.SIGHUP) {
		t.Errorf("SIGHUP: got status %d, want 129", status)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("after SIGHUP: got %v, want no file", err)
	}

	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	p = startWasport(t, "run", "--listen", "unix:"+path, guest)
	want = "wasport: --listen unix:" + path + ": a socket is there, and nobody listens to it; " +
		"remove it\n"
	if status, stderr := p.wait(); status != 1 || stderr != want {
		t.Errorf("a socket left behind: got status %d and %q, want 1 and %q", status, stderr, want)
	}
}

// TestUnixPathOfAnotherProgram puts another socket in the place of a guest's before the guest ends,
// as the next version of a service does.
func TestUnixPathOfAnotherProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	p := startWasport(t, "run", "--listen", "unix:"+path, root+"/internal/guests/listen_fd.wasm")
	p.guestAddr()
	c, err := net.DialTimeout("unix", path, testTimeout)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	next, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	c.Close() // the guest has accepted it, and ends with it
	p.wait()
	if c, err = net.Dial("unix", path); err != nil {
		t.Fatalf("got %v, want the socket of the other program to stay", err)
	}
	c.Close()
}

// startService starts the command as a service manager does, with descriptors from 3 on.
func startService(t *testing.T, vars string, files []*os.File, args ...string) (status int,
	stdout, stderr string) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", vars + ` exec wasport "$@"`, "sh"}, args...)...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.ExtraFiles = files
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	timer := time.AfterFunc(testTimeout, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestSystemdSockets hands over a TCP and a Unix-domain listener by name, in another order. Each
// has a connection waiting, so that the guest serves it and ends.
func TestSystemdSockets(t *testing.T) {
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	path := filepath.Join(t.TempDir(), "s")
	local, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	var files []*os.File
	for _, l := range []interface{ File() (*os.File, error) }{tcp, local} {
		f, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	const two = "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:local "
	guest := root + "/internal/guests/listen_fd.wasm"
	for _, test := range []struct {
		name    string
		vars    string
		args    []string
		network string // where a client connects
		status  int
		stderr  string
	}{
		{"all, the first", two, []string{"--listen", "systemd", guest, "3"}, "tcp", 0, ""},
		{"all, the second", two, []string{"--listen", "systemd", guest, "4"}, "unix", 0, ""},
		{"in another order", two,
			[]string{"--listen", "systemd:local", "--listen", "systemd:web", guest, "3"}, "unix", 0,
			""},
		{"one of them", two, []string{"--listen", "systemd:local", guest, "3"}, "unix", 0,
			"wasport: warning: --listen leaves out the socket \"web\", which was passed too\n"},
		{"after another", two,
			[]string{"--listen", "tcp://127.0.0.1:0", "--listen", "systemd", guest, "4"}, "tcp", 0,
			""},
		{"without names", "LISTEN_PID=$$ LISTEN_FDS=2 ",
			[]string{"--listen", "systemd:unknown", guest, "3"}, "tcp", 0, ""},
		{"unknown name", two, []string{"--listen", "systemd:dns", guest}, "", 1,
			"--listen systemd:dns: no socket has this name; the names are \"local\", \"web\""},
		{"twice", two, []string{"--listen", "systemd", "--listen", "systemd:web", guest}, "", 1,
			"--listen systemd:web: the socket \"web\" would be handed over twice; write systemd " +
				"once"},
		{"too many names", "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web:local ",
			[]string{"--listen", "systemd", guest}, "", 1,
			"LISTEN_FDNAMES has 2 names and LISTEN_FDS is 1; "},
		{"another process", "LISTEN_PID=1 LISTEN_FDS=2 ", []string{"--listen", "systemd", guest},
			"", 1, `passed to process "1", by LISTEN_PID, and this is process `},
		{"no number", "LISTEN_PID=$$ LISTEN_FDS=two ", []string{"--listen", "systemd", guest}, "",
			1,
			`LISTEN_FDS is "two", not a number of sockets from 1 to 4096; `},
		{"none", "LISTEN_PID=$$ LISTEN_FDS=0 ", []string{"--listen", "systemd", guest}, "", 1,
			`LISTEN_FDS is "0", not a number`},
		{"more than there are", "LISTEN_PID=$$ LISTEN_FDS=3 LISTEN_FDNAMES=a:b:c ",
			[]string{"--listen", "systemd",
				guest}, "", 1, `descriptor 5 ("c") was announced as a ` +
				`socket: `},
		{"not for another flag", two, []string{"--listen", "tcp://127.0.0.1:0", "--timeout", "1ms",
			guest}, "", 124, "the time given by --timeout is over"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.network != "" {
				addr := tcp.Addr().String()
				if test.network == "unix" {
					addr = path
				}
				c, err := net.Dial(test.network, addr)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				io.WriteString(c, "hello")
				defer func() {
					c.SetDeadline(time.Now().Add(testTimeout))
					if got, err := io.ReadAll(c); string(got) != "hello" {
						t.Errorf("got %q, %v, want %q", got, err, "hello")
					}
				}()
			}
			status, out, stderr := startService(t, test.vars, files,
				append([]string{"run"}, test.args...)...)
			if status != test.status || !strings.Contains(stderr, test.stderr) ||
				test.stderr == "" && stderr != "" {
				t.Errorf("got status %d, %q and %q, want %d and %q", status, out, stderr,
					test.status, test.stderr)
			}
		})
	}
}

// TestSystemdVariablesAreRemoved inherits the environment, in which nothing announces sockets.
func TestSystemdVariablesAreRemoved(t *testing.T) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	status, out, stderr := startService(t, "HELLO=1 LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=a ",
		[]*os.File{f}, "run", "--env-inherit", "--listen", "systemd",
		root+"/internal/guests/stdio.wasm")
	if status != 0 || !strings.Contains(out, "HELLO=1") || strings.Contains(out, "LISTEN_") {
		t.Errorf("got status %d, %q and %q, want HELLO and no LISTEN_ variable", status, out,
			stderr)
	}
}
