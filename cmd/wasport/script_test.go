package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/needs"
)

// scriptCommands are what scripts have besides testscript's own commands.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"status": status, // status N command...: the command must end with the exit status N
	// signal NAME N command...: sent the signal after its first line of output, it must end with
	// the exit status N
	"signal": interrupt,
	// talk tcp|udp command...: the command must send back what is sent to the first address in its
	// trace
	"talk": talk,
	"dns":  dns, // dns NAME=ADDR...: starts a DNS server at $DNS
	// cut FILE N BYTE...: keeps the first N bytes of the file, the last of them as given
	"cut": cut,
}

func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "ipv6":
		l, err := net.Listen("tcp", "[::1]:0")
		if err == nil {
			l.Close()
		}
		return err == nil, nil
	case "clang": // and all that compiling a guest takes
		err := needs.LackingCompiler()
		if os.Getenv("WASPORT_CI") == "1" {
			return err == nil, err
		}
		return err == nil, nil
	}
	return false, errors.New("unknown condition " + name)
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command...")
	}
	expect(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: cut FILE N BYTE...")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))[:size]
	for i, text := range args[2:] {
		n, err := strconv.ParseUint(text, 0, 8)
		ts.Check(err)
		b[size-len(args[2:])+i] = byte(n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o666))
}

func expect(ts *testscript.TestScript, want string, err error) {
	got := 0
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit status %d, not %s", got, want)
	}
}

// start runs a command of a script, and returns when it has printed a line.
func start(ts *testscript.TestScript, args []string,
	pipe func(*exec.Cmd) (io.ReadCloser, error)) (cmd *exec.Cmd, line string) {
	// testscript puts the command into the PATH of this process too
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd = exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+ts.Getenv("XDG_CACHE_HOME"), "GORACE="+
		ts.Getenv("GORACE"))
	out, err := pipe(cmd)
	ts.Check(err)
	_, err = cmd.StdinPipe() // in which nothing ever comes
	ts.Check(err)
	ts.Check(cmd.Start())
	r := bufio.NewReader(out)
	if line, err = r.ReadString('\n'); err != nil {
		cmd.Process.Kill()
		ts.Fatalf("it printed no line: %q, %v", line, err)
	}
	go io.Copy(io.Discard, r)
	return cmd, line
}

func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: signal NAME N command...")
	}
	sig, ok := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	var stderr bytes.Buffer
	cmd, _ := start(ts, args[2:], func(c *exec.Cmd) (io.ReadCloser, error) {
		c.Stderr = &stderr
		return c.StdoutPipe()
	})
	sent := time.Now()
	ts.Check(cmd.Process.Signal(sig))
	err := cmd.Wait()
	if took := time.Since(sent); took > 5*time.Second {
		ts.Fatalf("it went on for %v after the signal", took)
	}
	io.Copy(ts.Stderr(), &stderr)
	expect(ts, args[1], err)
}

var traced = regexp.MustCompile(`^sock_addr_local\(\d+, (\S+)\) = 0 `)

func talk(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: talk tcp|udp command...")
	}
	cmd, line := start(ts, args[1:], (*exec.Cmd).StderrPipe)
	var got string
	err := func() error {
		at := traced.FindStringSubmatch(line)
		if at == nil {
			return fmt.Errorf("not an address of its own: %s", line)
		}
		c, err := net.Dial(args[0], at[1])
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(c, "echo\n"); err != nil {
			return err
		}
		got, err = bufio.NewReader(c).ReadString('\n')
		return err
	}()
	if err != nil {
		cmd.Process.Kill()
	}
	err = errors.Join(err, cmd.Wait())
	if neg != (got != "echo\n" || err != nil) {
		ts.Fatalf("it sent %q; %v", got, err)
	}
}

func dns(ts *testscript.TestScript, neg bool, args []string) {
	s, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	ts.Check(err)
	ts.Defer(func() { s.Close() })
	for _, arg := range args {
		name, addr, _ := strings.Cut(arg, "=")
		s.Set(name, dnstest.Addrs(addr))
	}
	ts.Setenv("DNS", s.Addr())
}
