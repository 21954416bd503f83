package kernel

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/network"
)

// replyOf returns a reply to a question for an IPv4 address.
func replyOf(t testing.TB, h dnsmessage.Header, answers, zone []dnsmessage.Resource) []byte {
	t.Helper()
	h.Response = true
	m := dnsmessage.Message{Header: h, Questions: []dnsmessage.Question{{
		Name: dnsmessage.MustNewName("name.test."), Type: dnsmessage.TypeA,
		Class: dnsmessage.ClassINET}}, Answers: answers, Authorities: zone}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func record(ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{TTL: ttl,
		Name: dnsmessage.MustNewName("name.test."), Class: dnsmessage.ClassINET}, Body: body}
}

// seedReplies are replies and their lives.
func seedReplies(t testing.TB) map[string]struct {
	reply []byte
	want  time.Duration
} {
	a := &dnsmessage.AResource{}
	alias := &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("other.test.")}
	zone := &dnsmessage.SOAResource{NS: dnsmessage.MustNewName("ns.test."),
		MBox: dnsmessage.MustNewName("mail.test."), MinTTL: 20}
	type list = []dnsmessage.Resource
	plain := dnsmessage.Header{}
	return map[string]struct {
		reply []byte
		want  time.Duration
	}{
		"the shortest": {replyOf(t, plain, list{record(60, a), record(7, a)}, nil),
			7 * time.Second},
		"an alias": {replyOf(t, plain, list{record(5, alias), record(60, a)}, nil),
			5 * time.Second},
		"highest bit": {replyOf(t, plain, list{record(1<<31, a)}, nil), 0},
		"no address":  {replyOf(t, plain, nil, nil), 0},
		"no address, of a zone": {replyOf(t, plain, nil, list{record(60, zone)}),
			20 * time.Second},
		"no address, of a zone with a short TTL": {replyOf(t, plain, nil,
			list{record(3, zone)}), 3 * time.Second},
		"an alias of no address": {replyOf(t, plain, list{record(9, alias)},
			list{record(60, zone)}), 9 * time.Second},
		"truncated": {replyOf(t, dnsmessage.Header{Truncated: true},
			list{record(60, a)}, nil), 0},
		"failed": {replyOf(t, dnsmessage.Header{RCode: dnsmessage.RCodeServerFailure},
			list{record(60, a)}, nil), 0},
		"empty": {},
	}
}

func TestLifeOfReply(t *testing.T) {
	for name, test := range seedReplies(t) {
		if got := lifeOfReply(test.reply); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// FuzzLifeOfReply checks that no reply lives for less than no time, or for more than a TTL says.
func FuzzLifeOfReply(f *testing.F) {
	for _, test := range seedReplies(f) {
		f.Add(test.reply)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		life := lifeOfReply(b)
		var m dnsmessage.Message
		if life < 0 || life > 0 && m.Unpack(b) != nil {
			t.Fatalf("got %v for a reply that is none, want 0", life)
		}
		for _, a := range m.Answers {
			if most := time.Duration(a.Header.TTL) * time.Second; life > most {
				t.Errorf("got %v, want at most %v", life, most)
			}
		}
	})
}

// TestLookupTellsTTL looks names up whose answers have a life, or lack a part.
func TestLookupTellsTTL(t *testing.T) {
	server, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	server.Set("both.test", dnstest.Answer{Addrs: addrs, TTL: 30})
	server.Set("four.test", dnstest.Answer{Addrs: addrs[:1], TTL: 30})
	server.Set("long.test", dnstest.Answer{Addrs: addrs, TTL: 30, Truncate: true})
	server.Set("alias.test", dnstest.Answer{CNAME: "both.test", TTL: 10})
	r := New(Config{Server: server.Addr(),
		Hosts: map[string][]netip.Addr{"known.test": addrs}})
	for _, test := range []struct {
		name   string
		family network.Family
		want   time.Duration
	}{
		{"both.test", network.AnyFamily, 30 * time.Second},
		{"both.test", network.IPv6, 30 * time.Second},
		{"four.test", network.IPv4, 30 * time.Second},
		{"four.test", network.AnyFamily, 0}, // nothing says how long it has no IPv6 address
		{"long.test", network.IPv4, 0},
		{"alias.test", network.IPv4, 10 * time.Second},
		{"known.test", network.IPv4, fileLife},
		{"localhost", network.IPv4, fileLife},
		{"a.localhost", network.IPv6, fileLife},
	} {
		got, life, err := r.LookupAddrsTTL(t.Context(), test.family, test.name)
		if err != nil || len(got) == 0 || life != test.want {
			t.Errorf("%s %v: got %v, %v, %v; want a life of %v", test.name, test.family, got, life,
				err, test.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got, life, err := r.LookupAddrsTTL(ended, network.IPv4, "both.test"); life != 0 ||
		!errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v, %v; want the end of the context", got, life, err)
	}
}
