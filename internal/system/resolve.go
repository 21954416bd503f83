package system

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/network"
)

// AddrInfo is one result of Resolve.
type AddrInfo struct {
	Addr netip.AddrPort
	Type network.Type
}

// Resolve looks up a host and a service, as getaddrinfo(3) does. A host that is an IP address is
// not looked up; if its family is not the wanted one, the error is NoSuchHost. A service is empty,
// a number up to 65535 or a name. Without a type, each address is returned twice, as a stream and
// as a datagram address.
func (t *Thread) Resolve(host, service string, family network.Family, typ network.Type) ([]AddrInfo,
	error) {
	if host == "" {
		return nil, syscall.EINVAL
	}
	port, err := t.resolvePort(service, typ)
	if err != nil {
		return nil, err
	}
	addrs, err := t.resolveHost(host, family)
	if err != nil {
		return nil, err
	}
	types := []network.Type{network.Stream, network.Datagram}
	if typ != network.AnyType {
		types = []network.Type{typ}
	}
	out := make([]AddrInfo, 0, len(addrs)*len(types))
	for _, a := range addrs {
		for _, typ := range types {
			out = append(out, AddrInfo{netip.AddrPortFrom(a, port), typ})
		}
	}
	return out, nil
}

func (t *Thread) resolveHost(host string, family network.Family) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		if family == network.IPv4 && !a.Is4() || family == network.IPv6 && !a.Is6() {
			return nil, &network.LookupError{Name: host, Failure: network.NoSuchHost}
		}
		return []netip.Addr{a.WithZone("")}, nil
	}
	if t.network == nil {
		return nil, syscall.EACCES
	}
	t.endSendRun()
	addrs, wait, err := t.beginLookup(family, host)
	if wait != nil {
		return runLookup(t, wait)
	}
	t.chargeAnswer(addrs)
	return addrs, t.endReasonIfFailed(err)
}

// chargeAnswer charges the garbage of a lookup that did not wait: the text and the judgement of the
// name, and a few lists of the addresses. One that waits is charged more for that.
func (t *Thread) chargeAnswer(addrs []netip.Addr) { t.ChargeGarbage(2048 + 256*len(addrs)) }

// A lookupBeginner is a Network that can answer some lookups without waiting. For these no
// goroutine is started.
type lookupBeginner interface {
	// BeginLookup does the part of LookupAddrs that does not wait. If the lookup has ended then,
	// wait is nil. Otherwise wait, which is called at most once, does the rest and returns the
	// result; the context is that of LookupAddrs.
	BeginLookup(family network.Family, name string) (addrs []netip.Addr,
		wait func(context.Context) ([]netip.Addr, error), err error)
}

// beginLookup begins a lookup as lookupBeginner does.
func (g *Guest) beginLookup(family network.Family, host string) ([]netip.Addr,
	func(context.Context) ([]netip.Addr, error), error) {
	if b, ok := g.network.(lookupBeginner); ok {
		return b.BeginLookup(family, host)
	}
	return nil, func(ctx context.Context) ([]netip.Addr, error) {
		return g.network.LookupAddrs(ctx, family, host)
	}, nil
}

// ResolveRecords looks up records of a type at a host's name, and returns a reply of the DNS as
// network.RecordResolver does. Its addresses, for A and AAAA, are those of Resolve, as records that
// nobody may keep (RFC 2181, section 8); a name without such addresses is one that exists.
func (t *Thread) ResolveRecords(host string, typ uint16) ([]byte, error) {
	if t.network == nil {
		return nil, syscall.EACCES
	}
	return runLookup(t, func(ctx context.Context) ([]byte, error) {
		switch dnsmessage.Type(typ) {
		case dnsmessage.TypeA:
			return t.addressRecords(ctx, host, network.IPv4)
		case dnsmessage.TypeAAAA:
			return t.addressRecords(ctx, host, network.IPv6)
		}
		if r, ok := t.network.(network.RecordResolver); ok {
			return r.LookupRecords(ctx, host, typ)
		}
		return nil, syscall.EOPNOTSUPP
	})
}

// addressRecords makes a reply of the addresses of a name.
func (t *Thread) addressRecords(ctx context.Context, host string,
	family network.Family) ([]byte, error) {
	name, err := dnsmessage.NewName(strings.TrimSuffix(host, ".") + ".")
	if err != nil {
		return nil, syscall.EINVAL
	}
	addrs, err := t.network.LookupAddrs(ctx, family, host)
	failure := (*network.LookupError)(nil)
	if err != nil && !(errors.As(err, &failure) && failure.Failure == network.NoSuchHost) {
		return nil, err
	}
	question := dnsmessage.Question{Name: name, Type: dnsmessage.TypeA,
		Class: dnsmessage.ClassINET}
	if family == network.IPv6 {
		question.Type = dnsmessage.TypeAAAA
	}
	m := dnsmessage.Message{
		Header: dnsmessage.Header{Response: true, RecursionDesired: true,
			RecursionAvailable: true},
		Questions: []dnsmessage.Question{question},
	}
	for _, a := range addrs {
		answer := dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.AAAAResource{AAAA: a.As16()},
		}
		if family == network.IPv4 {
			answer.Body = &dnsmessage.AResource{A: a.As4()}
		}
		m.Answers = append(m.Answers, answer)
	}
	return m.Pack()
}

// checkLookup returns the refusal of a lookup.
func (t *Thread) checkLookup(host string) error {
	if t.network == nil {
		return syscall.EACCES
	}
	if c, ok := t.network.(network.Checker); ok {
		return c.CheckLookup(host)
	}
	return nil
}

// runLookup calls f on another goroutine, since a resolver may ignore its context and must not
// delay the guest's end. The context ends when no thread waits for the answer.
func runLookup[T any](t *Thread, f func(context.Context) (T, error)) (result T, err error) {
	type answer struct {
		result T
		err    error
		took   time.Duration
	}
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	answered, ready := make(chan answer, 1), make(chan struct{}, 1)
	go outside.Protect("Config.Network", func() {
		var a answer
		a.took = t.schedThread.Measure(func() { a.result, a.err = f(ctx) })
		answered <- a
		ready <- struct{}{}
	}, t.KillForPanic)
	if err := t.Sleep(ready, -1); err != nil {
		return result, err
	}
	a := <-answered
	t.schedThread.Charge(a.took)
	return a.result, t.endReasonIfFailed(a.err)
}

func (t *Thread) resolvePort(service string, typ network.Type) (uint16, error) {
	if service == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(service, 10, 64); err == nil {
		if n > 65535 {
			return 0, syscall.EINVAL
		}
		return uint16(n), nil
	}
	if t.network == nil {
		return 0, syscall.EACCES
	}
	return runLookup(t, func(ctx context.Context) (uint16, error) {
		return t.network.LookupPort(ctx, typ, service)
	})
}

// Interfaces returns the addresses of the host's interfaces that the guest may know.
func (t *Thread) Interfaces() ([]network.HostAddr, error) {
	if l, ok := t.network.(network.Lister); ok {
		return l.HostAddrs()
	}
	return nil, nil
}
