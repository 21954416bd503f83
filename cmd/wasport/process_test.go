package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"
)

// testTimeout bounds the wait for an event that should come at once.
const testTimeout = time.Minute

// process is a running command.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Reader

	// mu protects stderr, which has all lines so far. lines has those that no test has read.
	mu     sync.Mutex
	stderr bytes.Buffer
	lines  chan string
}

// startWasport starts the command. It is killed after testTimeout or at the end of the test.
func startWasport(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command("wasport", args...), lines: make(chan string, 1000)}
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.lines)
		for s := bufio.NewScanner(errs); s.Scan(); {
			p.mu.Lock()
			p.stderr.WriteString(s.Text() + "\n")
			p.mu.Unlock()
			p.lines <- s.Text()
		}
	}()
	timer := time.AfterFunc(testTimeout, func() { p.cmd.Process.Kill() })
	t.Cleanup(func() {
		timer.Stop()
		p.cmd.Process.Kill()
		<-read
		p.cmd.Wait()
	})
	return p
}

// wait waits for the end, and returns the exit status and all of stderr.
func (p *process) wait() (status int, stderr string) {
	io.Copy(io.Discard, p.out)
	for range p.lines {
	}
	p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.ProcessState.ExitCode(), p.stderr.String()
}

// waitForLine waits for a line on stderr that matches a pattern, and returns the submatches.
func (p *process) waitForLine(pattern string) []string {
	p.t.Helper()
	for line := range p.lines {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(line); m != nil {
			return m
		}
	}
	p.t.Fatalf("got no line on stderr that matches %s, want one", pattern)
	return nil
}

// guestAddr waits for the line with the guest's address. It returns the zero value if the guest
// ends before that, or listens at none of IP's.
func (p *process) guestAddr() netip.AddrPort {
	line, _ := p.out.ReadString('\n')
	var word, host string
	var port uint16
	if _, err := fmt.Sscan(line, &word, &host, &port); err != nil || word != "listening" {
		return netip.AddrPort{}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, port)
}

// exchangeTCP sends "hello" by TCP from an address, and returns the answer.
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
	b, _ := io.ReadAll(c) // a peer that is not admitted may get a reset
	return string(b)
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// waitForInterrupts is a program that goes on after the first interrupt.
func waitForInterrupts() {
	ctx, stop := withSignals(context.Background())
	defer stop()
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("first")
	select {}
}
