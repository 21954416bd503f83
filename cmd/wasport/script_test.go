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

// scriptCommands are the commands of scripts besides testscript's own.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	// status N command...: runs the command, which must exit with status N.
	"status": checkStatus,
	// signal NAME N command...: sends the command a signal after its first line of output. It must
	// then exit with status N.
	"signal": sendSignal,
	// talk tcp|udp command...: sends a line to the first address in the command's trace. The
	// command must send it back.
	"talk": checkEcho,
	// dns NAME=ADDR...: starts a DNS server and sets $DNS to its address.
	"dns": startDNS,
	// cut FILE N BYTE...: truncates a file to N bytes and overwrites the last ones.
	"cut": cutFile,
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
	case "clang": // with wasi-libc and the other packages of a compiler for guests
		err := needs.LackingCompiler()
		if os.Getenv("WASPORT_CI") == "1" {
			return err == nil, err
		}
		return err == nil, nil
	}
	return false, errors.New("unknown condition " + name)
}

func checkStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command...")
	}
	expectStatus(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func cutFile(ts *testscript.TestScript, neg bool, args []string) {
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

func expectStatus(ts *testscript.TestScript, want string, err error) {
	got := 0
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("got exit status %d, want %s", got, want)
	}
}

// startCommand starts a command of a script, and returns its first line of output.
func startCommand(ts *testscript.TestScript, args []string,
	pipe func(*exec.Cmd) (io.ReadCloser, error)) (cmd *exec.Cmd, line string) {
	// testscript puts the command into the PATH of this process too
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd = exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+ts.Getenv("XDG_CACHE_HOME"),
		"LocalAppData="+ts.Getenv("LocalAppData"), "GORACE="+ts.Getenv("GORACE"))
	out, err := pipe(cmd)
	ts.Check(err)
	_, err = cmd.StdinPipe() // an empty stdin that does not end
	ts.Check(err)
	ts.Check(cmd.Start())
	r := bufio.NewReader(out)
	if line, err = r.ReadString('\n'); err != nil {
		cmd.Process.Kill()
		ts.Fatalf("got %q, %v, want a line", line, err)
	}
	go io.Copy(io.Discard, r)
	return cmd, line
}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: signal NAME N command...")
	}
	sig, ok := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	var stderr bytes.Buffer
	cmd, _ := startCommand(ts, args[2:], func(c *exec.Cmd) (io.ReadCloser, error) {
		c.Stderr = &stderr
		return c.StdoutPipe()
	})
	sent := time.Now()
	ts.Check(cmd.Process.Signal(sig))
	err := cmd.Wait()
	if took := time.Since(sent); took > 5*time.Second {
		ts.Fatalf("got an end %v after the signal, want it within 5 s", took)
	}
	io.Copy(ts.Stderr(), &stderr)
	expectStatus(ts, args[1], err)
}

// localAddrTrace matches the call in a trace that returns the address of a socket.
var localAddrTrace = regexp.MustCompile(`^sock_addr_local\(\d+, (\S+)\) = 0 `)

func checkEcho(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: talk tcp|udp command...")
	}
	cmd, line := startCommand(ts, args[1:], (*exec.Cmd).StderrPipe)
	var got string
	err := func() error {
		addr := localAddrTrace.FindStringSubmatch(line)
		if addr == nil {
			return fmt.Errorf("got %q, want a trace of sock_addr_local", line)
		}
		c, err := net.Dial(args[0], addr[1])
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
		ts.Fatalf("got %q, %v, want an echo: %t", got, err, !neg)
	}
}

func startDNS(ts *testscript.TestScript, neg bool, args []string) {
	s, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	ts.Check(err)
	ts.Defer(func() { s.Close() })
	for _, arg := range args {
		name, addr, _ := strings.Cut(arg, "=")
		s.Set(name, dnstest.Addrs(addr))
	}
	ts.Setenv("DNS", s.Addr())
}
