package guard_test

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// loopbackNet is the host's network with loopback alone. It records and refuses connects to other
// addresses.
type loopbackNet struct {
	network.Network
	mu    sync.Mutex
	tried []netip.AddrPort
}

type loopbackSocket struct {
	network.Socket
	*loopbackNet
}

func (i *loopbackNet) Open(f network.Family, t network.Type) (network.Socket, error) {
	s, err := i.Network.Open(f, t)
	return &loopbackSocket{s, i}, err
}

func (s *loopbackSocket) Connect(to netip.AddrPort) error {
	if to.Addr().Unmap().IsLoopback() {
		return s.Socket.Connect(to)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = append(s.tried, to)
	return syscall.ECONNREFUSED
}

func (s *loopbackSocket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	if !to.IsValid() || to.Addr().Unmap().IsLoopback() {
		return s.Socket.Send(bufs, to)
	}
	return 0, s.Connect(to)
}

// names starts a DNS server, and returns a loopbackNet that resolves with it.
func names(t testing.TB) (*dnstest.Server, *loopbackNet) {
	t.Helper()
	server, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	must(t, err)
	t.Cleanup(func() { server.Close() })
	return server, &loopbackNet{Network: kernel.New(kernel.Config{Server: server.Addr()})}
}

// TestDNSRebindingReachesNoPrivateAddress looks a name up and connects to the answer, again and
// again, while the owner of the name changes the answer. No connect reaches a private address.
func TestDNSRebindingReachesNoPrivateAddress(t *testing.T) {
	const public, other = "93.184.216.34", "198.41.0.4"
	many := make([]string, 40)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{93, 184, 217, byte(i)}).String()
	}
	addrs := func(list ...string) dnstest.Answer { return dnstest.Addrs(list...) } // their TTL is 0
	for _, test := range []struct {
		name  string
		serve func(*dnstest.Server)
		sees  []string // the answer of each lookup in turn; empty for none
	}{
		{"at once", func(s *dnstest.Server) { s.Set("name.test", addrs("127.0.0.1")) },
			[]string{""}},
		{"then", func(s *dnstest.Server) { s.Set("name.test", addrs(public), addrs("127.0.0.1")) },
			[]string{public, ""}},
		{"together", func(s *dnstest.Server) { s.Set("name.test", addrs("127.0.0.1", public)) },
			[]string{public}},
		{"by turns", func(s *dnstest.Server) {
			s.Set("name.test", addrs(public), addrs("127.0.0.1"), addrs(other),
				addrs("10.0.0.5", "169.254.169.254", "0.0.0.0"), addrs(public, "127.0.0.1"))
		}, []string{public, "", other, "", public}},
		{"a chain of names", func(s *dnstest.Server) {
			s.Set("name.test", dnstest.Answer{CNAME: "one.evil.test"})
			s.Set("one.evil.test", dnstest.Answer{CNAME: "two.evil.test"})
			s.Set("two.evil.test", addrs(public), addrs("127.0.0.1"))
		}, []string{public, ""}},
		{"a chain that changes", func(s *dnstest.Server) {
			s.Set("name.test", dnstest.Answer{CNAME: "one.evil.test"},
				dnstest.Answer{CNAME: "two.evil.test"})
			s.Set("one.evil.test", addrs(public))
			s.Set("two.evil.test", addrs("127.0.0.1"))
		}, []string{public, ""}},
		{"to localhost", func(s *dnstest.Server) {
			s.Set("name.test",
				dnstest.Answer{CNAME: "localhost"})
		}, []string{""}},
		{"among many", func(s *dnstest.Server) {
			s.Set("name.test", addrs(slices.Concat(many[:20], []string{"127.0.0.1"}, many[20:])...))
		}, []string{many[0]}},
	} {
		t.Run(test.name, func(t *testing.T) {
			enemyAt, enemyHeard := listener(t, "127.0.0.1:0")
			packets, _ := udpSocket(t, enemyAt.String())
			server, base := names(t)
			test.serve(server)
			var removed []netip.Addr
			p := testutil.Policy(t, "allow connect name.test", "allow connect other.test")
			n := guard.New(base, p,
				guard.Options{
					OnFiltered: func(f *policy.Filtered) {
						if f.Name != "name.test" {
							t.Errorf("got the answer for %s filtered, want it whole", f.Name)
						}
						removed = append(removed, f.Removed...)
					},
				})
			visit := func(to netip.Addr, want error) {
				to4, to6 := netip.AddrPortFrom(to,
					enemyAt.Port()), netip.AddrPortFrom(netip.AddrFrom16(to.As16()), enemyAt.Port())
				wantErr(t, "connect to "+to4.String(),
					connect(t, open(t, n, network.IPv4, network.Stream), to4), want)
				_, err := open(t, n, network.IPv4, network.Datagram).Send([][]byte{[]byte("x")},
					to4)
				wantErr(t, "send to "+to4.String(), err, want)
				if six, err := n.Open(network.IPv6, network.Stream); err == nil {
					wantErr(t, "connect to "+to6.String(), connect(t, six, to6), want)
					six.Close()
				}
			}
			for i, want := range test.sees {
				got, err := n.LookupAddrs(t.Context(), network.IPv4, "Name.TEST.")
				for _, a := range got {
					if !a.IsGlobalUnicast() || a.IsPrivate() {
						t.Errorf("lookup %d: got %v, want public addresses alone", i, a)
					}
					visit(a, syscall.ECONNREFUSED) // it was tried
				}
				if want == "" && err == nil || want != "" &&
					(len(got) == 0 || got[0].String() != want) {
					t.Errorf("lookup %d tells of %v, %v; want %q", i, got, err, want)
				}
				for _, inside := range []string{"127.0.0.1", "10.0.0.5", "169.254.169.254",
					"0.0.0.0"} {
					visit(netip.MustParseAddr(inside), syscall.EACCES)
				}
			}
			if slices.Contains(test.sees, "") && len(removed) == 0 && test.name != "to localhost" {
				t.Error("got no report of a filtered answer, want one")
			}
			for _, a := range base.tried {
				if a.Addr().Is4() && !a.Addr().IsGlobalUnicast() {
					t.Errorf("got an attempt at %v, want none", a)
				}
			}
			expectNothing(t, packets)
			select {
			case got := <-enemyHeard:
				t.Errorf("got %q at loopback, want nothing", got)
			default:
			}
		})
	}
}

// TestConnectAfterNameMoved changes the address of a name between lookup and connect. The answer to
// the guest's lookup counts.
func TestConnectAfterNameMoved(t *testing.T) {
	server, base := names(t)
	n := guard.New(base, testutil.Policy(t, "allow connect tcp://name.test:80", "allow resolve *"),
		guard.Options{})
	try := func(to string, want error) {
		t.Helper()
		wantErr(t, "connect to "+to, open(t, n, network.IPv4, network.Stream).Connect(at(to)), want)
	}
	look := func(name string) {
		t.Helper()
		_, err := n.LookupAddrs(t.Context(), network.IPv4, name)
		must(t, err)
	}
	server.Set("name.test", dnstest.Addrs("93.184.216.34"), dnstest.Addrs("198.41.0.4"))
	server.Set("other.test", dnstest.Addrs("192.33.4.12"))
	try("93.184.216.34:80", syscall.EACCES) // not looked up yet
	look("name.test")
	try("93.184.216.34:80", syscall.ECONNREFUSED)
	try("93.184.216.34:81", syscall.EACCES)
	try("198.41.0.4:80", syscall.EACCES) // the new address, which the guest has not looked up
	look("other.test")
	try("192.33.4.12:80", syscall.EACCES) // looked up by another name than the rule has
	look("name.test")
	try("198.41.0.4:80", syscall.ECONNREFUSED)
	try("93.184.216.34:80", syscall.ECONNREFUSED) // for a minute, since the guest may be on its way

	// Another guest has looked nothing up.
	n = guard.New(base, n.Policy(), guard.Options{})
	try("198.41.0.4:80", syscall.EACCES)
}

// TestAnswerWithPrivateAddress has an address in the answer that a rule allows by itself.
func TestAnswerWithPrivateAddress(t *testing.T) {
	friendAt, friendHeard := listener(t, "127.0.0.1:0")
	server, base := names(t)
	server.Set("name.test", dnstest.Addrs("127.0.0.1", "10.0.0.5", "127.0.0.2"))
	text := []string{"allow connect name.test", "allow connect tcp://" + friendAt.String()}
	n := guard.New(base, testutil.Policy(t, text...), guard.Options{})
	got, err := n.LookupAddrs(t.Context(), network.IPv4, "name.test")
	if err != nil || len(got) != 1 || got[0] != friendAt.Addr() {
		t.Fatalf("got the answer %v, %v, want the one that the rules leave", got, err)
	}
	friend := open(t, n, network.IPv4, network.Stream)
	must(t, connect(t, friend, friendAt))
	send(t, friend, "hello", nobody)
	if got := <-friendHeard; got != "hello" {
		t.Errorf("got %q, want %q", got, "hello")
	}
	elsewhere := netip.AddrPortFrom(friendAt.Addr(), friendAt.Port()^1)
	wantErr(t, "another port", open(t, n, network.IPv4, network.Stream).Connect(elsewhere),
		syscall.EACCES)

	// A ceiling that allows names does not let the address through.
	n = guard.New(base, policy.All(testutil.Policy(t, text...),
		testutil.Policy(t, "allow connect *", "allow connect name.test")), guard.Options{})
	if got, err := n.LookupAddrs(t.Context(), network.IPv4, "name.test"); err == nil {
		t.Errorf("got the answer %v, want none", got)
	}
	wantErr(t, "connect", open(t, n, network.IPv4, network.Stream).Connect(friendAt),
		syscall.EACCES)
}

// TestLearnerGetsNamesAndNoReplies learns names for addresses from lookups, and learns neither
// replies nor the use of adopted sockets.
func TestLearnerGetsNamesAndNoReplies(t *testing.T) {
	server, base := names(t)
	server.Set("name.test", dnstest.Addrs("93.184.216.34", "127.0.0.9"))
	server.Set("unused.test", dnstest.Addrs("198.41.0.4"))
	var l policy.Learner
	everything := policy.New(policy.AllowNet(policy.Origin{}), policy.Limits{})
	n := guard.New(base, everything, guard.Options{Learner: &l})
	for _, name := range []string{"NAME.test", "unused.test", "nobody.test"} {
		n.LookupAddrs(t.Context(), network.IPv4, name)
	}
	open(t, n, network.IPv4, network.Stream).Connect(at("93.184.216.34:443"))
	open(t, n, network.IPv4, network.Stream).Connect(at("192.33.4.12:80"))

	client, clientAt := udpSocket(t, "127.0.0.1:0")
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.Bind(here))
	client.WriteToUDPAddrPort([]byte("question"), local(t, s))
	receive(t, s)
	send(t, s, "answer", clientAt)

	handed, handedAt := udpSocket(t, "127.0.0.1:0")
	adopted, err := kernel.Adopt(handed)
	must(t, err)
	h := n.Adopt(adopted)
	defer h.Close()
	client.WriteToUDPAddrPort([]byte("question"), handedAt)
	receive(t, h)
	send(t, h, "answer", clientAt)

	var got []string
	for _, r := range l.Rules() {
		got = append(got, r.String())
	}
	want := []string{
		"allow connect tcp://192.33.4.12:80", "allow connect tcp://name.test:443",
		"allow listen udp://127.0.0.1:0 from loopback",
		"allow resolve nobody.test", "allow resolve unused.test",
	}
	if !slices.Equal(got, want) {
		t.Errorf("learnt %q, not %q", got, want)
	}
}

// TestLookupOfRecords judges the name and passes it on as it is judged, but never a type of
// addresses: their answers would go unfiltered.
func TestLookupOfRecords(t *testing.T) {
	server, base := names(t)
	text := &dnsmessage.TXTResource{TXT: []string{"text"}}
	server.Set("name.test", dnstest.Answer{
		Records: map[dnsmessage.Type][]dnsmessage.ResourceBody{dnsmessage.TypeTXT: {text}}})
	server.Set("other.test", dnstest.Addrs("192.0.2.1"))
	p := testutil.Policy(t, "allow connect tcp://name.test:80")
	n := guard.New(base.Network, p, guard.Options{})
	for _, row := range []struct {
		name string
		typ  dnsmessage.Type
		want error
	}{
		{"Name.TEST.", dnsmessage.TypeTXT, nil},
		{"name.test", dnsmessage.TypeA, syscall.EOPNOTSUPP},
		{"name.test", dnsmessage.TypeAAAA, syscall.EOPNOTSUPP},
		{"other.test", dnsmessage.TypeTXT, syscall.EACCES},
		{"other.test", dnsmessage.TypeA, syscall.EACCES},
		{"a b", dnsmessage.TypeTXT, syscall.EINVAL},
	} {
		b, err := n.LookupRecords(t.Context(), row.name, uint16(row.typ))
		if !errors.Is(err, row.want) || (err == nil) != bytes.Contains(b, []byte("text")) {
			t.Errorf("%v of %s: got %q, %v, want %v", row.typ, row.name, b, err, row.want)
		}
	}
	if got := server.Asked("other.test", "udp"); got != 0 {
		t.Errorf("got %d queries for a name that is denied, want none", got)
	}
	if got := n.Counters().Lookups; got != 1 {
		t.Errorf("got %d lookups counted, want the 1 that was passed on", got)
	}
	// loopbackNet hides the methods of the network that it wraps.
	n = guard.New(base, p, guard.Options{})
	if _, err := n.LookupRecords(t.Context(), "name.test", uint16(dnsmessage.TypeTXT)); !errors.Is(
		err, syscall.EOPNOTSUPP) {
		t.Errorf("a network without records: got %v, want %v", err, syscall.EOPNOTSUPP)
	}
}
