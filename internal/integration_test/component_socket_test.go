package integration_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/policy"
)

// TestComponentLookup looks names up, with answers of both families and with none.
func TestComponentLookup(t *testing.T) {
	server, base := startNameServer(t)
	server.Set("both.test", dnstest.Addrs("192.0.2.1", "2001:db8::1"))
	server.Set("four.test", dnstest.Addrs("192.0.2.4"))
	for _, test := range []struct{ name, want string }{
		{"four.test", "192.0.2.4\n"},
		{"both.test", "192.0.2.1\n2001:db8::1\n"},
		{"hosts.test", "192.0.2.77\n"},
		{"192.0.2.5", "192.0.2.5\n"},
		{"[2001:db8::5]", "2001:db8::5\n"},
		{"nobody.test", "resolve-next-address: error 18\n"},
		{"example.com", "resolve-addresses: error 20\n"},
		{"not a name", "resolve-addresses: error 3\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := startModule(t, context.Background(),
				wasport.Config{Network: base, Policy: testutil.Policy(t, "allow resolve *.test")},
				compileComponent(t, "lookup"), "lookup", test.name)
			got := strings.Split(g.waitExit(0), "\n")
			slices.Sort(got)
			want := strings.Split(test.want, "\n")
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// learn runs a program against a peer of the host, and returns the policy that is learnt from it.
func learn(t *testing.T, m *wasport.Module, program, ip string) string {
	t.Helper()
	var l policy.Learner
	start := func(args ...string) *guest {
		return startModule(t, context.Background(),
			wasport.Config{Policy: policy.New(policy.AllowNet(policy.Origin{}), policy.Limits{}),
				Learner: &l}, m, program, args...)
	}
	var g *guest
	port := ""
	switch program {
	case "tcp_client":
		_, port = serveTCP(t, ip, func(c net.Conn) { io.Copy(c, c) })
		g = start(ip, port, "x")
	case "udp_client":
		c, err := net.ListenPacket("udp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		port = splitAddr(c.LocalAddr())[1]
		g = start(ip, port, "x")
		b := make([]byte, 10)
		if n, from, err := c.ReadFrom(b); err == nil {
			c.WriteTo(b[:n], from)
		}
	case "tcp_server", "udp_server":
		g = start(ip, "1")
		c, err := net.Dial(program[:3], g.readListenAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		writeText(t, c, "hello")
		g.readLine() // the server waits until its line about the peer is read
		expectText(t, c, "hello")
		c.Close()
	}
	g.waitExit(0)
	text := string(policy.New(l.Rules(), policy.Limits{}).TOML())
	if port != "" {
		text = strings.ReplaceAll(text, ":"+port, ":PORT")
	}
	return text
}

// TestComponentLearnsAsItsModule learns the policy of each program twice: as a component and as the
// core module that does the same.
func TestComponentLearnsAsItsModule(t *testing.T) {
	for _, program := range []string{"tcp_client", "tcp_server", "udp_client", "udp_server"} {
		t.Run(program, func(t *testing.T) {
			forEachFamily(t, func(t *testing.T, ip, _ string) {
				want := learn(t, compileGuest(t, program), program, ip)
				if got := learn(t, compileComponent(t, program), program, ip); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		})
	}
}

// TestComponentIsTracedAndAudited runs a client, and looks at what the host has written about it.
func TestComponentIsTracedAndAudited(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		_, port := serveTCP(t, ip, func(c net.Conn) { io.Copy(c, c) })
		var trace, audit bytes.Buffer
		g := startModule(t, context.Background(), wasport.Config{
			Policy: loopbackPolicy(t), Trace: &trace,
			Audit: slog.New(slog.NewTextHandler(&audit, nil)),
		}, compileComponent(t, "tcp_client"), "tcp_client", ip, port, "hello")
		g.waitExit(0)
		to := net.JoinHostPort(ip, port)
		family := "ipv4"
		if ip == "::1" {
			family = "ipv6"
		}
		for _, want := range []string{
			"create-tcp-socket(" + family + ") = ok",
			"tcp-socket.start-connect(", ", " + to + ") = ok",
		} {
			if !strings.Contains(trace.String(), want) {
				t.Errorf("got the trace\n%s\nwant in it %s", trace.String(), want)
			}
		}
		if want := "action=connect protocol=tcp address=" + to; !strings.Contains(
			strings.ReplaceAll(audit.String(), `"`, ""), want) {
			t.Errorf("got the audit record %s, want in it %s", audit.String(), want)
		}
		if c := g.handle.Counters(); c.SentBytes != 6 || c.ReceivedBytes != 6 ||
			c.Allowed[policy.OpConnect] != 1 {
			t.Errorf("got %+v, want 6 bytes each way over one connection", c)
		}
	})
}
