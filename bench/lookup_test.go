//go:build unix

package bench

import (
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/network/kernel"
)

// compareCachedLookup has a guest ask for a name that a server answers, again and again. The native
// program asks for localhost, which its C library finds in the hosts file: that library keeps no
// answers of servers.
func compareCachedLookup(b *testing.B, mode mode) {
	server := serveNames(b)
	w := workload{name: "getaddrinfo_cached"}
	natively := workload{subject: "lookup localhost 2000"}
	guest := workload{subject: "lookup service.test 2000"}
	w.comparePrograms(b, "network", mode, func() []func() measurement {
		g := newGuestHost(b, wasport.RuntimeConfig{})
		g.network = kernel.New(kernel.Config{Server: server})
		return []func() measurement{
			func() measurement { return natively.measure(b, native{}) },
			func() measurement { return guest.measure(b, g) },
		}
	})
}

// serveNames answers queries for IPv4 addresses with 127.0.0.1, for an hour, and others with none,
// likewise: by the zone's record, without which such an answer must not be kept (RFC 2308, section
// 5). It returns its address.
func serveNames(tb testing.TB) string {
	tb.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	go func() {
		for b := make([]byte, 512); ; {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if answer, err := answerQuery(b[:n]); err == nil {
				c.WriteTo(answer, from)
			}
		}
	}()
	return c.LocalAddr().String()
}

func answerQuery(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response, m.Additionals = true, nil
	for _, q := range m.Questions {
		if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 3600},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}})
			continue
		}
		m.Authorities = append(m.Authorities, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 3600},
			Body:   &dnsmessage.SOAResource{NS: q.Name, MBox: q.Name, MinTTL: 3600}})
	}
	return m.Pack()
}

// TestServedName has a guest look the name up as the benchmark does.
func TestServedName(t *testing.T) {
	g := newGuestHost(t, wasport.RuntimeConfig{})
	g.network = kernel.New(kernel.Config{Server: serveNames(t)})
	m := workload{subject: "lookup service.test 20"}.measure(t, g)
	if m.units != 20 {
		t.Errorf("got %v answers, want 20", m.units)
	}
}
