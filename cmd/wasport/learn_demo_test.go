package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/policy"
)

// demoScript is a demo guest with its arguments.
type demoScript struct {
	guest string
	args  []string
	flags []string
	// peer talks to the guest, if that is a server.
	peer func(t *testing.T, p *process)
	// rules are those that the guest needs, in the order of a learnt file.
	rules []string
}

// demoScripts returns the scripts of all demo guests, and starts the servers that they need until
// the end of the test.
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
			c.Read(make([]byte, 64)) // a close with unread data would be a reset (RFC 2525, 2.17)
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
			peer: func(t *testing.T, p *process) {
				if at := p.guestAddr(); at.IsValid() {
					if got := exchangeTCP(t, "127.0.0.1", at); got != "welcome to the sandbox" {
						t.Errorf("got %q, want the server's greeting", got)
					}
				}
			},
		},
		{
			guest: "demo_udp_server", args: []string{"127.0.0.1"},
			rules: []string{"allow listen udp://127.0.0.1:0 from loopback"},
			peer: func(t *testing.T, p *process) {
				at := p.guestAddr()
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
					t.Errorf("got %q, %v, want pong", b[:n], err)
				}
			},
		},
	}
}

// run runs a script to its end, and returns the exit status and stderr.
func (s *demoScript) run(t *testing.T, flags ...string) (status int, stderr string) {
	t.Helper()
	args := append([]string{"run"}, s.flags...)
	args = append(append(args, flags...), "../../internal/guests/demo/"+s.guest+".wasm")
	p := startWasport(t, append(args, s.args...)...)
	if s.peer != nil {
		s.peer(t, p)
	}
	return p.wait()
}

// TestLearnedPolicyIsMinimal learns the policy of each demo guest: the guest runs with it, and
// fails without any of its rules.
func TestLearnedPolicyIsMinimal(t *testing.T) {
	tested := make(map[string]bool)
	for _, s := range demoScripts(t) {
		tested[s.guest+".wasm"] = true
		t.Run(s.guest, func(t *testing.T) {
			learnt := filepath.Join(t.TempDir(), "learnt.toml")
			if status, stderr := s.run(t, "--learn", learnt); status != 0 {
				t.Fatalf("--learn: got status %d, want 0; stderr: %s", status, stderr)
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
				t.Errorf("got rules %q, want %q", got, s.rules)
			}
			if status, stderr := s.run(t, "--policy", learnt); status != 0 {
				t.Errorf("--policy: got status %d, want 0; stderr: %s", status, stderr)
			}
			for i, r := range rules {
				less := append(append([]policy.Rule(nil), rules[:i]...), rules[i+1:]...)
				writeFile(t, learnt, string(policy.New(less, policy.Limits{}).TOML()))
				if status, _ := s.run(t, "--policy", learnt); status == 0 {
					t.Errorf("without %v: got status 0, want a failure", r)
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
			t.Errorf("got no script for %s, want one", file)
		}
	}
}
