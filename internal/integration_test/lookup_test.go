package integration_test

import (
	"context"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/testutil"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// startNameServer returns a DNS server and a network that resolves names by it.
func startNameServer(t testing.TB) (*dnstest.Server, *kernel.Network) {
	t.Helper()
	server, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, kernel.New(kernel.Config{
		Server: server.Addr(),
		Hosts:  map[string][]netip.Addr{"hosts.test": {netip.MustParseAddr("192.0.2.77")}},
	})
}

func TestGetaddrinfoResults(t *testing.T) {
	server, base := startNameServer(t)
	server.Set("both.test", dnstest.Addrs("192.0.2.1", "2001:db8::1"))
	server.Set("four.test", dnstest.Addrs("192.0.2.4"))
	server.Set("alias.test", dnstest.Answer{CNAME: "four.test"})
	server.Set("broken.test", dnstest.Answer{Code: dnsmessage.RCodeServerFailure})
	server.Set("many.test", dnstest.Addrs(manyAddrs()...))
	server.Set("long.test", dnstest.Answer{Addrs: dnstest.Addrs("192.0.2.9").Addrs, Truncate: true})

	for _, test := range []struct {
		name string
		args string
		code uint32
		want []string // lines in any order; their beginnings if code is not 0
	}{
		{"IPv4", "four.test 80 4 tcp", 0, []string{"192.0.2.4 80 stream"}},
		{"both types", "four.test 80 any any", 0,
			[]string{"192.0.2.4 80 stream", "192.0.2.4 80 dgram"}},
		{"both families", "both.test 80 any tcp", 0,
			[]string{"192.0.2.1 80 stream", "2001:db8::1 80 stream"}},
		{"IPv6 alone", "both.test 80 6 udp", 0, []string{"2001:db8::1 80 dgram"}},
		{"service by name", "four.test http 4 tcp", 0, []string{"192.0.2.4 80 stream"}},
		{"no service", "four.test - 4 tcp", 0, []string{"192.0.2.4 0 stream"}},
		{"alias", "alias.test 80 4 tcp", 0, []string{"192.0.2.4 80 stream"}},
		{"case and dot", "FOUR.Test. 80 4 tcp", 0, []string{"192.0.2.4 80 stream"}},
		{"--hosts", "hosts.test 80 4 tcp", 0, []string{"192.0.2.77 80 stream"}},
		{"literal", "192.0.2.5 80 any tcp", 0, []string{"192.0.2.5 80 stream"}},
		{"IPv6 literal", "2001:db8::5 80 any tcp", 0, []string{"2001:db8::5 80 stream"}},
		{"by TCP", "long.test 80 4 tcp", 0, []string{"192.0.2.9 80 stream"}},
		{"more than fit at first", "many.test 80 4 tcp", 0, withSuffix(manyAddrs(), " 80 stream")},
		{"no such host", "nobody.test 80 4 tcp", 1, []string{"error EAI_NONAME"}},
		{"no address of the family", "four.test 80 6 tcp", 1, []string{"error EAI_NONAME"}},
		{"server failure", "broken.test 80 4 tcp", 1, []string{"error EAI_AGAIN"}},
		{"not allowed", "example.com 80 4 tcp", 1, []string{"error EAI_FAIL"}},
		{"no such service", "four.test nothing 4 tcp", 1, []string{"error EAI_SERVICE"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := startGuestWith(t, context.Background(), wasport.Config{
				Network: base,
				Policy:  testutil.Policy(t, "allow resolve *.test"),
			}, "lookup", strings.Fields(test.args)...)
			lines := strings.Split(strings.TrimSpace(g.waitExit(test.code)), "\n")
			for _, want := range test.want {
				found := false
				for _, line := range lines {
					found = found || line == want || test.code != 0 && strings.HasPrefix(line, want)
				}
				if !found {
					t.Errorf("got %q, want %q among them", lines, want)
				}
			}
			if test.code == 0 && len(lines) != len(test.want) {
				t.Errorf("got %d results, want %d: %q", len(lines), len(test.want), lines)
			}
		})
	}
}

// manyAddrs is more addresses than the library first makes room for.
func manyAddrs() (list []string) {
	for i := range 40 {
		list = append(list, netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 100)}).String())
	}
	return list
}

func withSuffix(list []string, suffix string) (out []string) {
	for _, s := range list {
		out = append(out, s+suffix)
	}
	return out
}

// TestGetaddrinfoWithoutServer tells a server that says nothing from a name that does not exist.
func TestGetaddrinfoWithoutServer(t *testing.T) {
	closed := testutil.ClosedPort(t, "127.0.0.1").String()
	g := startGuestWith(t, context.Background(), wasport.Config{
		Network: kernel.New(kernel.Config{Server: closed}),
		Policy:  testutil.Policy(t, "allow resolve *"),
	}, "lookup", "any.test", "80", "4", "tcp")
	if out := g.waitExit(1); !strings.HasPrefix(out, "error EAI_AGAIN") {
		t.Errorf(`got %q, want "error EAI_AGAIN"`, out)
	}
}

// ownNames is a Network of an embedder with a LookupAddrs of its own.
type ownNames struct {
	*kernel.Network
	asked int
}

func (o *ownNames) LookupAddrs(context.Context, network.Family, string) ([]netip.Addr, error) {
	o.asked++
	return []netip.Addr{netip.MustParseAddr("192.0.2.4")}, nil
}

// TestLookupsAreKept has a guest look a name up ten times.
func TestLookupsAreKept(t *testing.T) {
	const lookups = 10
	server, base := startNameServer(t)
	own := &ownNames{Network: base}
	wasm, err := os.ReadFile("../../bench/lookup.wasm")
	if err != nil {
		t.Fatal(err)
	}
	m := compileModule(t, wasm)
	for _, row := range []struct {
		name    string
		network network.Network
		ttl     uint32
		without []string
		want    int
	}{
		{"kept", base, 3600, []string{}, 1},
		{"not to be kept", base, 0, []string{}, lookups},
		{"without", base, 3600, []string{"name-cache"}, lookups},
		{"another LookupAddrs", own, 3600, []string{}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			server.Set("four.test", dnstest.Answer{TTL: row.ttl,
				Addrs: dnstest.Addrs("192.0.2.4", "2001:db8::4").Addrs})
			g := startModule(t, context.Background(), wasport.Config{
				Network: row.network, Without: row.without,
				Policy: testutil.Policy(t, "allow resolve four.test"),
			}, m, "lookup", "four.test", strconv.Itoa(lookups))
			g.waitExit(0)
			// A name of any family takes a query for each of two.
			if got := server.Asked("four.test", "udp"); got != 2*row.want {
				t.Errorf("got %d queries, want %d", got, 2*row.want)
			}
		})
	}
	if own.asked != lookups {
		t.Errorf("got %d calls of the embedder's LookupAddrs, want %d", own.asked, lookups)
	}
}
