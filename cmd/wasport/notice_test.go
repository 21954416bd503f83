package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestDeniedPeerIsReportedOnce has a peer connect three times to a listener that admits another.
func TestDeniedPeerIsReportedOnce(t *testing.T) {
	cmd := exec.Command("wasport", "run", "--trace", "--listen", "tcp://127.0.0.1:0",
		"--timeout", "1m", "--allow-listen", "tcp://127.0.0.1 from 127.0.0.9",
		root+"/internal/guests/listen_fd.wasm")
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir(), "GORACE=atexit_sleep_ms=0")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	r := bufio.NewReader(stderr)
	line, _ := r.ReadString('\n')
	addr := localAddrTrace.FindStringSubmatch(line)
	if addr == nil {
		t.Fatalf("got %q, want the address of the listener", line)
	}
	for range 3 {
		c, err := net.Dial("tcp", addr[1])
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		io.Copy(io.Discard, c) // until the command closes it
		c.Close()
	}
	// The report comes from a goroutine of its own.
	hangs := time.AfterFunc(testTimeout, func() { cmd.Process.Kill() })
	defer hangs.Stop()
	hint := `to let it in: --allow-listen "tcp://` + addr[1]
	got := ""
	for err == nil && !strings.Contains(got, hint) {
		line, err = r.ReadString('\n')
		got += line
	}
	cmd.Process.Kill()
	rest, _ := io.ReadAll(r)
	got += string(rest)
	want := "wasport: turned away 127.0.0.1 from tcp " + addr[1] + ": "
	if strings.Count(got, want) != 1 || strings.Count(got, "turned away") != 1 {
		t.Errorf("got %q, want %q once", got, want)
	}
	if !strings.Contains(got, hint) {
		t.Errorf("got %q, want %q", got, hint)
	}
}
