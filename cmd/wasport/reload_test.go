package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReloadOfChangedPolicy changes the policy files of a running guest.
func TestReloadOfChangedPolicy(t *testing.T) {
	dir := t.TempDir()
	net, ceiling := filepath.Join(dir, "net.toml"), filepath.Join(dir, "ceiling.toml")
	writeFile(t, net, `allow = ["listen tcp://127.0.0.1:0 from 127.0.0.1"]`)
	writeFile(t, ceiling, `allow = ["listen loopback"]`)
	p := startWasport(t, "run", "--policy", net, "--policy-ceiling="+ceiling,
		"--metrics=127.0.0.1:0",
		"../../internal/guests/tcp_server.wasm", "127.0.0.1", "3")
	metrics := p.waitForLine("^wasport: metrics are at (.*)$")[1]
	at := p.guestAddr()
	expect := func(from, want string) {
		t.Helper()
		if got := exchangeTCP(t, from, at); got != want {
			t.Errorf("from %s: got %q, want %q", from, got, want)
		}
	}
	hangup := func(pattern string) {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Skip(err)
		}
		p.waitForLine(pattern)
	}
	expect("127.0.0.2", "")
	expect("127.0.0.1", "hello")

	writeFile(t, net, `allow = ["listen tcp://127.0.0.1:0 from 127.0.0.2"]`)
	expect("127.0.0.2", "") // only SIGHUP applies the change
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

	waitForMetrics(t, metrics, []string{
		`wasport_decisions_total{action="accept",decision="allowed"} 2`,
		`wasport_decisions_total{action="accept",decision="denied"} 4`,
		`wasport_decisions_total{action="bind",decision="allowed"} 1`,
		`wasport_decisions_total{action="connect",decision="allowed"} 0`,
		`wasport_dropped_connections_total 4`,
		`wasport_open_sockets 1`, // 2 until the guest has closed the last connection
		`wasport_sent_bytes_total 10`,
		`wasport_received_bytes_total 10`,
		`# TYPE wasport_open_sockets gauge`,
		`# TYPE wasport_sent_bytes_total counter`,
	})
	expect("127.0.0.2", "hello")
	if status, stderr := p.wait(); status != 0 {
		t.Errorf("got exit status %d, want 0; stderr: %s", status, stderr)
	}
}

// waitForMetrics polls an address until each line is among the metrics.
func waitForMetrics(t *testing.T, url string, want []string) {
	t.Helper()
	var text string
	missing := func(line string) bool { return !strings.Contains(text, line+"\n") }
	for deadline := time.Now().Add(testTimeout / 2); ; {
		reply, err := http.Get(url)
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
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("got metrics without %q, want it in\n%s", want[i], text)
			return
		}
	}
}
