package integration_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// TestLookupOfRebindingName has a guest look up a name that is public first and loopback then, also
// within one lookup: the guest asks twice if there are more addresses than it has room for.
func TestLookupOfRebindingName(t *testing.T) {
	public := make([]string, 40)
	inside := make([]string, 40)
	for i := range public {
		public[i] = netip.AddrFrom4([4]byte{93, 184, 216, byte(i + 1)}).String()
		inside[i] = netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}).String()
	}
	many, none := len(public), 0
	for _, test := range []struct {
		name    string
		answers []dnstest.Answer
		found   []int // addresses in each run of the guest, which all are public
	}{
		{"one and one", []dnstest.Answer{dnstest.Addrs(public[0]), dnstest.Addrs("127.0.0.1")},
			[]int{1, none}},
		{"both", []dnstest.Answer{dnstest.Addrs("127.0.0.1", public[0])}, []int{1}},
		{"many and many", []dnstest.Answer{dnstest.Addrs(public...), dnstest.Addrs(inside...)},
			[]int{none}},
		{"many twice and many",
			[]dnstest.Answer{dnstest.Addrs(public...), dnstest.Addrs(public...),
				dnstest.Addrs(inside...)}, []int{many, none}},
		{"more inside than outside", []dnstest.Answer{dnstest.Addrs(append(inside, public[0])...)},
			[]int{1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, base := startNameServer(t)
			server.Set("alias.test", dnstest.Answer{CNAME: "name.test"})
			server.Set("name.test", test.answers...)
			for _, want := range test.found {
				code := uint32(0)
				if want == none {
					code = 1
				}
				g := startGuestWith(
					t,
					context.Background(),
					wasport.Config{
						Network: base,
						Policy:  testutil.Policy(t, "allow connect alias.test:80"),
					},
					"lookup",
					"alias.test",
					"80",
					"4",
					"tcp",
				)
				out := g.waitExit(code)
				if got := strings.Count(out, " stream\n"); got != want {
					t.Errorf("got %d addresses, want %d: %s", got, want, out)
				}
				if strings.Contains(out, "127.0.0.") {
					t.Errorf("got a loopback address, want none: %s", out)
				}
			}
			g := startGuestWith(
				t,
				context.Background(),
				wasport.Config{
					Network: base,
					Policy:  testutil.Policy(t, "allow connect alias.test:80"),
				},
				"tcp_client",
				"127.0.0.1",
				"80",
				"x",
			)
			if out := g.waitExit(1); !strings.Contains(out, "connect errno=2 EACCES") {
				t.Errorf(`got %s, want "connect errno=2 EACCES"`, out)
			}
		})
	}
}

// TestSetPolicyWhileServing changes the policy of a guest while it serves.
func TestSetPolicyWhileServing(t *testing.T) {
	g := startGuest(t, "tcp_server", "127.0.0.1", "2")
	at := g.readListenAddr()
	c := dialGuest(t, at)
	g.readLine() // accepted
	writeText(t, c, "hello")
	expectText(t, c, "hello")
	g.handle.SetPolicy(nil)
	writeText(t, c, "still there")
	expectText(t, c, "still there")
	c.Close()
	g.expectLines("closed 16 bytes")
	refused := dialGuest(t, at)
	if n, err := refused.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("got the connection served, want it refused")
	}
	g.handle.SetPolicy(loopbackPolicy(t))
	c = dialGuest(t, at)
	g.readLine() // accepted
	writeText(t, c, "again")
	expectText(t, c, "again")
	c.Close()
	g.waitExit(0)
	counters := g.handle.Counters()
	if counters.Allowed[policy.OpAccept] != 2 || counters.Denied[policy.OpAccept] != 1 ||
		counters.DroppedConnections != 1 ||
		counters.SentBytes != 21 || counters.ReceivedBytes != 21 || counters.OpenSockets != 0 {
		t.Errorf("got %+v, want 2 accepted, 1 denied and dropped, 21 bytes each way", counters)
	}
}

// TestRecvRateLimitDelaysGuest has a guest echo more than it may receive in a second. It may
// overdraw its budget by a second's worth, and then waits until the debt is repaid.
func TestRecvRateLimitDelaysGuest(t *testing.T) {
	const rate, size = 20_000, 36_000
	p := policy.New(loopbackPolicy(t).Rules(), policy.Limits{RecvBytesPerSecond: rate})
	g := startGuestUnder(t, p, "tcp_server", "127.0.0.1", "1")
	c := dialGuest(t, g.readListenAddr())
	g.readLine() // accepted
	began := time.Now()
	var sending sync.WaitGroup
	sending.Go(func() {
		c.Write(make([]byte, size))
		c.CloseWrite()
	})
	defer sending.Wait()
	if n, err := io.Copy(io.Discard, c); n != size || err != nil {
		t.Errorf("got %d bytes back, %v, want %d", n, err, size)
	}
	sending.Wait()
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("%d bytes: got %v, want at least 400 ms", size, took)
	}
	g.waitExit(0)
}

// TestSocketLimitIsReached allows a guest one socket less than it needs.
func TestSocketLimitIsReached(t *testing.T) {
	p := policy.New(loopbackPolicy(t).Rules(), policy.Limits{Sockets: 1})
	g := startGuestUnder(t, p, "tcp_server", "127.0.0.1", "1")
	g.readListenAddr()
	if out := g.waitExit(1); !strings.Contains(out, "FAIL accept errno=33 EMFILE") {
		t.Errorf(`got %s, want "FAIL accept errno=33 EMFILE"`, out)
	}
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// TestAuditRecordsGuestName checks that each record names its guest.
func TestAuditRecordsGuestName(t *testing.T) {
	for name, want := range map[string]string{"": "guest=tcp_client ",
		"the plug-in": `guest="the plug-in" `} {
		t.Run("name="+name, func(t *testing.T) {
			var out lockedBuffer
			g := startGuestWith(t, context.Background(),
				wasport.Config{Name: name, Audit: slog.New(slog.NewTextHandler(&out, nil))},
				"tcp_client", "127.0.0.1", "9", "x")
			g.waitExit(1)
			if got := out.String(); !strings.Contains(got, want+
				"action=connect protocol=tcp address=127.0.0.1:9 decision=denied") {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestAdoptedListenerUnderPolicies hands a listener to guests whose policies allow it, deny it, or
// do not mention it.
func TestAdoptedListenerUnderPolicies(t *testing.T) {
	for _, test := range []struct {
		name     string
		policy   *policy.Policy
		admitted bool
	}{
		{"nothing else", nil, true},
		{"an empty ceiling", policy.All(nil, testutil.Policy(t)), false},
		{"a deny", testutil.Policy(t, "deny listen loopback"), false},
		{"from elsewhere", testutil.Policy(t, "allow listen loopback from 127.0.0.9"), false},
		{"a ceiling that allows it", policy.All(nil, testutil.Policy(t, "allow listen loopback")),
			true},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			g := startGuestWith(t, context.Background(),
				wasport.Config{Policy: test.policy, Sockets: []syscall.Conn{l}}, "listen_fd")
			c := dialGuest(t, g.readListenAddr())
			writeText(t, c, "hello")
			if test.admitted {
				g.readLine() // accepted
			}
			b := make([]byte, 16)
			n, err := c.Read(b)
			if admitted := err == nil && string(b[:n]) == "hello"; admitted != test.admitted {
				t.Errorf("got %q, %v, want an echo: %v", b[:n], err, test.admitted)
			}
		})
	}
}

// TestLearnerRecordsNamesAndAddresses learns from two guests: a name, and an address that no lookup
// returned.
func TestLearnerRecordsNamesAndAddresses(t *testing.T) {
	var l policy.Learner
	base := kernel.New(
		kernel.Config{
			Hosts: map[string][]netip.Addr{
				"name.test": {
					netip.MustParseAddr("127.0.0.1"),
					netip.MustParseAddr("93.184.216.34"),
				},
			},
		},
	)
	all := policy.New(policy.AllowNet(policy.Origin{}), policy.Limits{})
	g := startGuestWith(t, context.Background(),
		wasport.Config{Network: base, Policy: all, Learner: &l}, "lookup", "name.test", "80", "4",
		"tcp")
	g.waitExit(0)
	g = startGuestWith(t, context.Background(),
		wasport.Config{Network: base, Policy: all, Learner: &l}, "tcp_client", "127.0.0.1", "9",
		"x")
	g.waitExit(1)
	want := "allow = [\n  \"connect tcp://127.0.0.1:9\",\n  \"resolve name.test\",\n]\n"
	if got := string(policy.New(l.Rules(), policy.Limits{}).TOML()); got != want {
		t.Errorf("learnt\n%snot\n%s", got, want)
	}
}
