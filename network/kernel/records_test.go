package kernel_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

type bodies = map[dnsmessage.Type][]dnsmessage.ResourceBody

// typeCAA is that of data which package dnsmessage does not decode (RFC 8659).
const typeCAA dnsmessage.Type = 257

func TestLookupRecords(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	s := dns(t, netip.MustParseAddr("127.0.0.1"))
	name := dnsmessage.MustNewName
	large := make([]dnsmessage.ResourceBody, 400)
	for i := range large {
		large[i] = &dnsmessage.TXTResource{TXT: []string{strings.Repeat("x", 120)}}
	}
	s.Set("all.test", dnstest.Answer{TTL: 300, Records: bodies{
		dnsmessage.TypeMX:  {&dnsmessage.MXResource{Pref: 10, MX: name("mail.all.test.")}},
		dnsmessage.TypeTXT: {&dnsmessage.TXTResource{TXT: []string{"one", "two"}}},
		dnsmessage.TypeNS:  {&dnsmessage.NSResource{NS: name("ns.all.test.")}},
		dnsmessage.TypeSOA: {
			&dnsmessage.SOAResource{NS: name("ns.all.test."), MBox: name("m.")}},
		dnsmessage.TypePTR:   {&dnsmessage.PTRResource{PTR: name("host.all.test.")}},
		dnsmessage.TypeCNAME: {&dnsmessage.CNAMEResource{CNAME: name("other.test.")}},
		typeCAA: {
			&dnsmessage.UnknownResource{Type: typeCAA, Data: []byte("\x00\x05issueca")}},
	}})
	s.Set("_sip._udp.all.test", dnstest.Answer{Records: bodies{dnsmessage.TypeSRV: {
		&dnsmessage.SRVResource{Priority: 1, Weight: 2, Port: 5060, Target: name("sip.test.")}}}})
	s.Set("alias.test", dnstest.Answer{CNAME: "all.test"})
	s.Set("large.test", dnstest.Answer{Truncate: true,
		Records: bodies{dnsmessage.TypeTXT: large}})
	s.Set("extra.test", dnstest.Answer{Records: bodies{dnsmessage.TypeTXT: {
		&dnsmessage.TXTResource{TXT: []string{"text"}}, &dnsmessage.AResource{}}}})
	s.Set("failing.test", dnstest.Answer{Code: dnsmessage.RCodeServerFailure})
	n := kernel.New(kernel.Config{Server: s.Addr()})

	for _, row := range []struct {
		name    string
		typ     dnsmessage.Type
		code    dnsmessage.RCode
		answers int
		first   string // a part of the first answer
	}{
		{"all.test", dnsmessage.TypeMX, 0, 1, "mail.all.test."},
		{"ALL.test.", dnsmessage.TypeTXT, 0, 1, `"one", "two"`},
		{"all.test", dnsmessage.TypeNS, 0, 1, "ns.all.test."},
		{"all.test", dnsmessage.TypeSOA, 0, 1, "ns.all.test."},
		{"all.test", dnsmessage.TypePTR, 0, 1, "host.all.test."},
		{"all.test", dnsmessage.TypeCNAME, 0, 1, "other.test."},
		{"all.test", typeCAA, 0, 1, "257"},
		{"_sip._udp.all.test", dnsmessage.TypeSRV, 0, 1, "sip.test."},
		{"alias.test", dnsmessage.TypeMX, 0, 2, "all.test."},
		{"large.test", dnsmessage.TypeTXT, 0, len(large), "xxx"},
		// A record that nobody asked for is left out, above all an address.
		{"extra.test", dnsmessage.TypeTXT, 0, 1, "text"},
		{"all.test", dnsmessage.TypeSRV, 0, 0, ""},
		{"nobody.test", dnsmessage.TypeMX, dnsmessage.RCodeNameError, 0, ""},
		{"localhost", dnsmessage.TypeMX, 0, 0, ""},
	} {
		b, err := n.LookupRecords(t.Context(), row.name, uint16(row.typ))
		var m dnsmessage.Message
		if err == nil {
			err = m.Unpack(b)
		}
		if err != nil {
			t.Errorf("%v of %s: got %v, want a reply", row.typ, row.name, err)
			continue
		}
		first := ""
		if len(m.Answers) > 0 {
			first = m.Answers[0].Body.GoString()
		}
		if m.RCode != row.code || len(m.Answers) != row.answers || !m.Response || m.Truncated ||
			!strings.Contains(first, row.first) || len(m.Questions) != 1 ||
			m.Questions[0].Type != row.typ {
			t.Errorf("%v of %s: got %v with %d answers, want %v with %d, %q", row.typ, row.name,
				m.GoString(), len(m.Answers), row.code, row.answers, row.first)
		}
	}
	if got := s.Asked("large.test", "tcp"); got != 1 {
		t.Errorf("got %d queries over TCP for a truncated reply, want 1", got)
	}
	for _, typ := range []dnsmessage.Type{0, dnsmessage.TypeA, dnsmessage.TypeAAAA, 3,
		dnsmessage.TypeOPT, 250, dnsmessage.TypeAXFR, dnsmessage.TypeALL} {
		asked := s.Asked("all.test", "udp")
		b, err := n.LookupRecords(t.Context(), "all.test", uint16(typ))
		if !errors.Is(err, syscall.EOPNOTSUPP) || s.Asked("all.test", "udp") != asked {
			t.Errorf("%v: got %x, %v, want %v and no query", typ, b, err, syscall.EOPNOTSUPP)
		}
	}
	var failure *network.LookupError
	b, err := n.LookupRecords(t.Context(), "failing.test", uint16(dnsmessage.TypeMX))
	if !errors.As(err, &failure) || failure.Failure != network.ServerFailure ||
		failure.Name != "failing.test" {
		t.Errorf("a server that fails: got %x, %v, want a server failure", b, err)
	}
}

// TestLookupRecordsWithoutAnswer ends with the context, and without a server at once.
func TestLookupRecordsWithoutAnswer(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	s := dns(t, netip.MustParseAddr("127.0.0.1"))
	s.Set("silent.test", dnstest.Answer{Silent: true})
	n := kernel.New(kernel.Config{Server: s.Addr()})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := n.LookupRecords(ctx, "silent.test", uint16(dnsmessage.TypeMX))
		done <- err
	}()
	for s.Asked("silent.test", "udp") == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want %v", err, context.Canceled)
	}
	var failure *network.LookupError
	nowhere := kernel.New(kernel.Config{Server: "not an address"})
	b, err := nowhere.LookupRecords(t.Context(), "any.test", uint16(dnsmessage.TypeMX))
	if !errors.As(err, &failure) || failure.Failure != network.NoAnswer {
		t.Errorf("without a server: got %x, %v, want no answer", b, err)
	}
}
