package ports_test

import (
	"net/netip"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
)

// TestHTTPClientAndServer runs net/http's client against its server, each natively and as a guest,
// by HTTP/1.1 and HTTP/2, with and without TLS inside the guest.
func TestHTTPClientAndServer(t *testing.T) {
	ca := newAuthority(t)
	dir := t.TempDir()
	cert, key := ca.issue(t, dir)
	c := wasport.Config{Dirs: []wasport.Dir{{Host: dir, ReadOnly: true}}}
	forEachServer(t, "web", c, []string{"serve", cert, key}, func(t *testing.T, addrs []string) {
		plain, secure := addrs[0], addrs[1]
		directory, embedded := ca.trustingConfig(t), ca.embeddedConfig()
		for _, row := range []struct {
			name, protocol, url, addr string
			c                         wasport.Config
		}{
			{"HTTP/1.1", "http1", "http://" + plain, plain, directory},
			{"HTTP/1.1 with TLS", "http1", "https://" + secure, secure, directory},
			{"HTTP/1.1 with TLS, embedded roots", "http1", "https://" + secure, secure, embedded},
			{"HTTP/2", "h2", "https://" + secure, secure, directory},
			{"HTTP/2 without TLS", "h2c", "http://" + plain, plain, directory},
		} {
			t.Run(row.name, func(t *testing.T) {
				compareClient(t, "web", "allow connect tcp://"+row.addr, row.c, "get",
					row.protocol, row.url)
			})
		}
	})
}

// TestGRPCClientAndServer runs a gRPC client against a server, each natively and as a guest.
func TestGRPCClientAndServer(t *testing.T) {
	call := func(t *testing.T, addrs []string) {
		compareClient(t, "rpc", "allow connect tcp://"+addrs[0], wasport.Config{}, "call",
			addrs[0])
	}
	forEachServer(t, "rpc", wasport.Config{}, []string{"serve"}, call)
}

// TestDNSClientAndServer has a DNS library ask the test's server, and servers that use the library.
func TestDNSClientAndServer(t *testing.T) {
	t.Run("test's server", func(t *testing.T) {
		server, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		server.Set("both.test", dnstest.Addrs("192.0.2.1", "2001:db8::1"))
		cut := dnstest.Addrs("192.0.2.2")
		cut.Truncate = true
		server.Set("large.test", cut)
		addr := server.Addr()
		compareClient(t, "dns", "allow connect udp://"+addr+"\nallow connect tcp://"+addr,
			wasport.Config{}, "ask", addr, "both.test", "large.test", "absent.test")
	})
	ask := func(t *testing.T, addrs []string) {
		compareClient(t, "dns", "allow connect udp://"+addrs[0], wasport.Config{},
			"ask", addrs[0], "one.test", "two.test")
	}
	forEachServer(t, "dns", wasport.Config{}, []string{"serve"}, ask)
}
