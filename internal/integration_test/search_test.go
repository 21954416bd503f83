package integration_test

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/policy"
)

// TestSearchDomains looks names up as a pod does: its resolver completes them by the domains of
// the cluster, and the policy judges each whole name.
func TestSearchDomains(t *testing.T) {
	server, base := startNameServer(t)
	server.Set("db.prod.test", dnstest.Addrs("192.0.2.1"))
	server.Set("db.svc.test", dnstest.Addrs("192.0.2.2"))
	server.Set("www.example.test", dnstest.Addrs("192.0.2.3"))
	server.Set("www.example.test.svc.test", dnstest.Addrs("192.0.2.4"))
	server.Set("shadow.test", dnstest.Addrs("192.0.2.5"))
	server.Set("shadow.test.prod.test", dnstest.Answer{Code: dnsmessage.RCodeServerFailure})
	server.Set("secret.svc.test", dnstest.Addrs("192.0.2.6"))
	for _, row := range []struct {
		name, lookup string
		ndots        int
		want         string // the output's beginning
		refused      bool
	}{
		{"first domain", "db", 5, "192.0.2.1 80", false},
		{"within a domain", "db.svc", 5, "error EAI_NONAME", false},
		{"the name itself", "db.svc.test", 1, "192.0.2.2 80", false},
		{"many dots", "db.svc.test", 5, "192.0.2.2 80", false},
		{"domains first", "www.example.test", 3, "192.0.2.4 80", false},
		{"the name first", "www.example.test", 2, "192.0.2.3 80", false},
		{"ndots is 1", "www.example.test", 0, "192.0.2.3 80", false},
		{"a final dot", "www.example.test.", 3, "192.0.2.3 80", false},
		{"failing server", "shadow.test", 2, "error EAI_AGAIN", false},
		{"denied by a domain", "secret", 5, "error EAI_FAIL", true},
		{"denied itself", "other.invalid", 1, "error EAI_FAIL", true},
		{"unknown", "nobody", 5, "error EAI_FAIL", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			refused := make(chan string, 10)
			code := uint32(0)
			if strings.HasPrefix(row.want, "error") {
				code = 1
			}
			g := startGuestWith(t, context.Background(), wasport.Config{
				Network: base, SearchDomains: []string{"prod.test", "svc.test."}, Ndots: row.ndots,
				Policy: testutil.Policy(t, "allow resolve *.test", "allow resolve db.svc",
					"deny resolve secret.svc.test"),
				OnRefusal: func(r *policy.Refusal) { refused <- r.Request.Name },
			}, "lookup", row.lookup, "80", "4", "tcp")
			if out := g.waitExit(code); !strings.HasPrefix(out, row.want) {
				t.Errorf("got %q, want %q", out, row.want)
			}
			close(refused)
			for name := range refused {
				if !row.refused || name != row.lookup {
					t.Errorf("got a refusal of %q, want none but of the guest's own name", name)
				}
			}
		})
	}
}

// TestSearchDomainsOfComponents asks as components do, which learn at once of a lookup that has no
// chance.
func TestSearchDomainsOfComponents(t *testing.T) {
	server, base := startNameServer(t)
	server.Set("db.prod.test", dnstest.Addrs("192.0.2.1"))
	server.Set("secret.prod.test", dnstest.Addrs("192.0.2.2"))
	for _, row := range []struct{ name, want string }{
		{"db", "192.0.2.1\n"},
		{"secret", "resolve-addresses: error 20\n"},
		{"not a name", "resolve-addresses: error 3\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := startModule(t, context.Background(), wasport.Config{Network: base,
				SearchDomains: []string{"prod.test"},
				Policy: testutil.Policy(t, "allow resolve *.test",
					"deny resolve secret.prod.test"),
			}, compileComponent(t, "lookup"), "lookup", row.name)
			if got := g.waitExit(0); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
