package kernel

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

// A server named in Config has answerTime for one attempt. How many attempts there are depends on the configuration of the host,
// but lookupTime is the limit to all of them.
const (
	answerTime = 2 * time.Second
	lookupTime = 5 * time.Second
)

// resolver is a network.Resolver over Go's.
type resolver struct {
	net   *net.Resolver
	files *net.Resolver // with a server named in Config: reads the hosts file, and asks nobody
	hosts map[string][]netip.Addr
}

func newResolver(c Config) resolver {
	r := resolver{net: net.DefaultResolver, hosts: make(map[string][]netip.Addr, len(c.Hosts))}
	for name, addrs := range c.Hosts {
		name = canonical(name)
		for _, a := range addrs {
			r.hosts[name] = append(r.hosts[name], a.Unmap())
		}
	}
	if c.Server != "" {
		r.net = &net.Resolver{PreferGo: true, Dial: dialTo(c.Server)}
		r.files = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.ErrUnsupported
		}}
	}
	return r
}

// canonical is the one spelling of a name.
func canonical(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// dialTo leads every question to one server, whichever one Go's resolver has in mind.
func dialTo(server string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, transport, _ string) (net.Conn, error) {
		d := net.Dialer{Timeout: answerTime}
		c, err := d.DialContext(ctx, transport, server)
		if err != nil {
			return nil, err
		}
		// The resolver tells the transports apart by the type of the connection.
		if udp, ok := c.(*net.UDPConn); ok {
			return impatientUDP{udp}, nil
		}
		return impatient{c}, nil
	}
}

type impatient struct{ net.Conn }

func (c impatient) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(sooner(t)) }

type impatientUDP struct{ *net.UDPConn }

func (c impatientUDP) SetDeadline(t time.Time) error { return c.UDPConn.SetDeadline(sooner(t)) }

func sooner(t time.Time) time.Time {
	if limit := time.Now().Add(answerTime); t.IsZero() || t.After(limit) {
		return limit
	}
	return t
}

// LookupAddrs asks, in this order, the hosts of the Config, the hosts file, and the server.
func (r *resolver) LookupAddrs(ctx context.Context, family network.Family, name string) ([]netip.Addr, error) {
	if family > network.IPv6 {
		return nil, syscall.EAFNOSUPPORT
	}
	if known, ok := r.hosts[canonical(name)]; ok {
		return ofFamily(known, family, name)
	}
	addrs, err := r.ask(ctx, [...]string{"ip", "ip4", "ip6"}[family], name)
	if err != nil {
		return nil, lookupError(ctx, name, err)
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	return ofFamily(addrs, family, name)
}

// ask makes a name absolute when a server of the guest's own is asked. Go's resolver then does not find a name of one label in the
// hosts file, so that is read first.
func (r *resolver) ask(ctx context.Context, kind, name string) ([]netip.Addr, error) {
	if r.files == nil {
		return r.net.LookupNetIP(ctx, kind, name)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	if strings.HasSuffix(name, ".") {
		return r.net.LookupNetIP(ctx, kind, name)
	}
	if !strings.Contains(name, ".") {
		if addrs, err := r.files.LookupNetIP(ctx, kind, name); err == nil {
			return addrs, nil
		}
	}
	return r.net.LookupNetIP(ctx, kind, name+".")
}

func ofFamily(addrs []netip.Addr, family network.Family, name string) ([]netip.Addr, error) {
	var of []netip.Addr
	for _, a := range addrs {
		if family == network.AnyFamily || a.Is4() == (family == network.IPv4) {
			of = append(of, a)
		}
	}
	if of == nil {
		return nil, &network.LookupError{Name: name, Failure: network.NoSuchHost}
	}
	return of, nil
}

// LookupPort looks a service up among those that the host knows.
func (r *resolver) LookupPort(ctx context.Context, typ network.Type, service string) (uint16, error) {
	transports := []string{"tcp", "udp"}
	switch typ {
	case network.Stream:
		transports = transports[:1]
	case network.Datagram:
		transports = transports[1:]
	}
	var err error
	for _, transport := range transports {
		var port int
		if port, err = r.net.LookupPort(ctx, transport, service); err == nil {
			return uint16(port), nil
		}
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return 0, &network.LookupError{Name: service, Failure: network.NoSuchHost, Err: err}
}

// lookupError sorts the failures of Go's resolver. It has one error for a server that answers nonsense and for one that says that it
// cannot tell; what is left is that none answered.
func lookupError(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failure := network.NoAnswer
	var dns *net.DNSError
	var addr *net.AddrError
	switch {
	case errors.As(err, &addr): // there are addresses, but none of the family
		failure = network.NoSuchHost
	case !errors.As(err, &dns):
	case dns.IsNotFound:
		failure = network.NoSuchHost
	case dns.IsTimeout:
	case answered(dns.Err):
		failure = network.ServerFailure
	}
	return &network.LookupError{Name: name, Failure: failure, Err: err}
}

// answered says whether a server has sent something. Package net does not export the errors that say so.
func answered(text string) bool {
	switch text {
	case "server misbehaving", "lame referral", "cannot unmarshal DNS message", "invalid DNS response", "no answer from DNS server":
		return true
	}
	return false
}
