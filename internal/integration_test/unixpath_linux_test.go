package integration_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/policy"
)

// unixConfig gives a guest a directory as "/run", under rules.
func unixConfig(t testing.TB, host string, readOnly bool, rules ...string) wasport.Config {
	return wasport.Config{
		Dirs:   []wasport.Dir{{Host: host, Guest: "/run", ReadOnly: readOnly}},
		Policy: testutil.Policy(t, rules...),
	}
}

// TestUnixClientAndServer has guests talk to native peers, and to each other, over paths.
func TestUnixClientAndServer(t *testing.T) {
	ctx, host := context.Background(), t.TempDir()

	t.Run("client", func(t *testing.T) {
		l, err := net.Listen("unix", filepath.Join(host, "native"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			c, err := l.Accept()
			if err == nil {
				io.Copy(c, c)
				c.Close()
			}
		}()
		g := startGuestWith(t, ctx, unixConfig(t, host, true, "allow connect unix:/run/native"),
			"unix", "connect", "/run/native", "hello")
		g.expectLines("connected /run/native", "received hello")
		g.waitExit(0)
	})

	server := startGuestWith(t, ctx, unixConfig(t, host, false, "allow listen unix:/run/s"),
		"unix", "listen", "/run/s", "2")
	server.expectLines("listening /run/s")
	t.Run("server", func(t *testing.T) {
		c, err := net.Dial("unix", filepath.Join(host, "s"))
		if err != nil {
			t.Fatal(err)
		}
		server.expectLines("accepted at /run/s from unnamed")
		writeText(t, c, "hello")
		expectText(t, c, "hello")
		c.Close()
		server.expectLines("closed 5 bytes")
	})
	t.Run("both", func(t *testing.T) {
		g := startGuestWith(t, ctx, unixConfig(t, host, true, "allow connect unix:/run/s"),
			"unix", "connect", "/run/s", "between")
		server.expectLines("accepted at /run/s from unnamed")
		g.expectLines("connected /run/s")
		server.expectLines("closed 7 bytes")
		g.expectLines("received between")
		g.waitExit(0)
		server.waitExit(0)
	})
	t.Run("stale", func(t *testing.T) {
		g := startGuestWith(t, ctx, unixConfig(t, host, true, "allow connect unix:/run/s"),
			"unix", "connect", "/run/s", "x")
		g.expectLines("FAIL connect errno=14 ECONNREFUSED")
		g = startGuestWith(t, ctx, unixConfig(t, host, false, "allow listen unix:/run/s"),
			"unix", "listen", "/run/s", "1")
		g.expectLines("FAIL bind errno=3 EADDRINUSE")
	})
}

// TestUnixRefusals has guests without the rule or the directory, and learns the rule.
func TestUnixRefusals(t *testing.T) {
	host := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(host, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, row := range map[string]struct {
		config wasport.Config
		want   string
	}{
		"no rule": {unixConfig(t, host, true, "allow connect any"),
			"FAIL connect errno=2 EACCES"},
		"no directory": {wasport.Config{Policy: testutil.Policy(t, "allow connect unix:*")},
			"FAIL connect errno=76 ENOTCAPABLE"},
		"another directory": {unixConfig(t, t.TempDir(), true, "allow connect unix:*"),
			"FAIL connect errno=44 ENOENT"},
	} {
		t.Run(name, func(t *testing.T) {
			g := startGuestWith(t, context.Background(), row.config, "unix", "connect", "/run/s",
				"x")
			g.expectLines(row.want)
			g.waitExit(1)
		})
	}
	c := unixConfig(t, host, true)
	c.Policy, c.Learner = policy.New(policy.AllowUnix(policy.Origin{}), policy.Limits{}),
		new(policy.Learner)
	go func() {
		if conn, err := l.Accept(); err == nil {
			io.Copy(conn, conn)
			conn.Close()
		}
	}()
	g := startGuestWith(t, context.Background(), c, "unix", "connect", "/run/s", "x")
	g.expectLines("connected /run/s", "received x")
	g.waitExit(0)
	if rules := c.Learner.Rules(); len(rules) != 1 ||
		rules[0].String() != "allow connect unix:/run/s" {
		t.Errorf("learnt %q, want the one rule", rules)
	}
}

// decisions is a slog.Handler's output that tells when a decision was recorded.
type decisions struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (d *decisions) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(b)
}

func (d *decisions) has(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Contains(d.text.String(), text)
}

// TestUnixBlockedCalls ends guests that wait in accept and in connect, and lets one that waits in
// connect go on.
func TestUnixBlockedCalls(t *testing.T) {
	host, reason := t.TempDir(), errors.New("enough")
	server := startGuestWith(t, context.Background(),
		unixConfig(t, host, false, "allow listen unix:/run/s"), "unix", "listen", "/run/s", "100")
	server.expectLines("listening /run/s")
	// The backlog of the guest is 0; it accepts one connection, and stays with that.
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range 2 {
		c, err := net.Dial("unix", filepath.Join(host, "s"))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		if len(conns) == 1 {
			server.expectLines("accepted at /run/s from unnamed")
		}
	}
	start := func() *guest {
		c := unixConfig(t, host, true, "allow connect unix:/run/s")
		var log decisions
		c.Audit = slog.New(slog.NewTextHandler(&log, nil))
		g := startGuestWith(t, context.Background(), c, "unix", "connect", "/run/s", "late")
		waitUntil(t, "the guest connects", func() bool { return log.has("action=connect") })
		return g
	}
	ended, waiting := start(), start()
	ended.handle.Stop(reason)
	if _, err := ended.handle.Wait(); !errors.Is(err, reason) {
		t.Errorf("in connect: got %v, want %v", err, reason)
	}
	go io.Copy(io.Discard, server.stdout)
	for _, c := range conns {
		c.Close()
	}
	waiting.expectLines("connected /run/s", "received late")
	waiting.waitExit(0)

	idle := startGuestWith(t, context.Background(),
		unixConfig(t, host, false, "allow listen unix:/run/idle"), "unix", "listen", "/run/idle",
		"1")
	idle.expectLines("listening /run/idle")
	idle.handle.Stop(reason)
	if _, err := idle.handle.Wait(); !errors.Is(err, reason) {
		t.Errorf("in accept: got %v, want %v", err, reason)
	}
}
