package wasmedge_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/network/kernel"
)

// TestDialByName connects to names, which the guest resolves over a UDP socket of its own, or the
// host by sock_getaddrinfo.
func TestDialByName(t *testing.T) {
	dns, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer dns.Close()
	dns.Set("four.test", dnstest.Addrs("127.0.0.1"))
	dns.Set("six.test", dnstest.Addrs("::1"))
	v4, v6 := startGreeter(t, "127.0.0.1:0"), startGreeter(t, "[::1]:0")
	addresses := []string{
		"tcp", "four.test:" + portOf(v4), "six.test:" + portOf(v6), v4, v6,
	}
	connect := fmt.Sprintf("allow connect tcp://%s\nallow connect tcp://%s\n", v4, v6)

	t.Run("by the guest", func(t *testing.T) {
		program{name: "dial"}.compare(t, connect+"allow connect udp://"+dns.Addr(),
			wasport.Config{Env: []string{"DNS=" + dns.Addr()}},
			[]string{"--env", "DNS=" + dns.Addr()}, addresses...)
	})
	t.Run("by the host", func(t *testing.T) {
		host := program{name: "dial", flags: []string{"-tags=getaddrinfo"}}
		host.compare(t, connect+"allow resolve four.test\nallow resolve six.test",
			wasport.Config{Network: kernel.New(kernel.Config{Server: dns.Addr()})},
			[]string{"--dns-server", dns.Addr()}, addresses...)
	})
}

// startGreeter starts a server that sends a line to each peer, and returns its address.
func startGreeter(t *testing.T, address string) string {
	t.Helper()
	l := listen(t, address)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(c, "hello")
			c.Close()
		}
	}()
	return l.Addr().String()
}

// portOf returns the port of an address.
func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}
