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

// A server named in Config has answerTime for one attempt. How many attempts there are depends
// on the configuration of the host, but lookupTime is the limit to all of them.
const (
	answerTime = 2 * time.Second
	lookupTime = 5 * time.Second
)

// resolver is a network.Resolver over Go's. Every name is absolute to it: the host's search domains
// (resolv.conf(5)) would turn the name that was judged into another one.
type resolver struct {
	server string // from Config; empty = the host's own
	hosts  map[string][]netip.Addr
	files  *net.Resolver // reads the hosts file, and asks nobody
}

func newResolver(c Config) resolver {
	r := resolver{server: c.Server, hosts: make(map[string][]netip.Addr, len(c.Hosts))}
	r.files = &net.Resolver{PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.ErrUnsupported
		}}
	for name, addrs := range c.Hosts {
		name = canonical(name)
		for _, a := range addrs {
			r.hosts[name] = append(r.hosts[name], a.Unmap())
		}
	}
	return r
}

// servers returns a resolver for one lookup. Two lookups of a name through one net.Resolver are one
// lookup, which goes on when one of the two is cancelled; and nobody may share the connections.
func (r *resolver) servers() *net.Resolver {
	host := net.DefaultResolver
	one := &net.Resolver{PreferGo: host.PreferGo, StrictErrors: host.StrictErrors}
	if r.server != "" {
		one.PreferGo, one.Dial = true, dialTo(r.server)
		return one
	}
	dial := host.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	one.Dial = func(ctx context.Context, transport, server string) (net.Conn, error) {
		c, err := dial(ctx, transport, server)
		if err == nil {
			closeWith(ctx, c)
		}
		return c, err
	}
	return one
}

// closeWith closes a connection at the latest when ctx ends. Go's resolver reads from it until its
// deadline, whatever becomes of ctx.
func closeWith(ctx context.Context, c net.Conn) {
	context.AfterFunc(ctx, func() { c.Close() })
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
		closeWith(ctx, c)
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
func (r *resolver) LookupAddrs(ctx context.Context, family network.Family,
	name string) ([]netip.Addr, error) {
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
	return ofFamily(addrs, family, name)
}

// ask looks an absolute name up in the hosts file first, as nsswitch.conf(5) does unless told
// otherwise. It has to be read here: the names in it have no final dot, without which the
// host's resolver appends its search domains, and of the resolvers only Go's, and only for
// names of several labels, finds a name with a dot in it.
func (r *resolver) ask(ctx context.Context, kind, name string) ([]netip.Addr, error) {
	name = strings.TrimSuffix(name, ".")
	inFile := name
	if strings.Contains(name, ".") {
		inFile += "." // asks for one name, where one of several labels may stand for several
	}
	if addrs, err := r.files.LookupNetIP(ctx, kind, inFile); err == nil {
		return addrs, nil
	}
	if lower := strings.ToLower(name); lower == "localhost" ||
		strings.HasSuffix(lower, ".localhost") {
		return loopback, nil
	}
	if r.server != "" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lookupTime)
		defer cancel()
	}
	return r.servers().LookupNetIP(ctx, kind, name+".")
}

// loopback is what localhost, and every name under it, stands for where the hosts file does not
// say: RFC 6761, section 6.3, forbids to ask a server.
var loopback = []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}

func ofFamily(addrs []netip.Addr, family network.Family, name string) ([]netip.Addr, error) {
	var of []netip.Addr
	for _, a := range addrs {
		a = a.Unmap()
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
func (r *resolver) LookupPort(ctx context.Context, typ network.Type, service string) (uint16,
	error) {
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
		if port, err = r.servers().LookupPort(ctx, transport, service); err == nil {
			return uint16(port), nil
		}
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return 0, &network.LookupError{Name: service, Failure: network.NoSuchHost, Err: err}
}

// lookupError sorts the failures of Go's resolver. It has one error for a server that answers
// nonsense and for one that says that it cannot tell; what is left is that none answered.
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

// answered says whether a server has sent something. Package net does not export the errors
// that say so.
func answered(text string) bool {
	switch text {
	case "server misbehaving", "lame referral", "cannot unmarshal DNS message",
		"invalid DNS response", "no answer from DNS server":
		return true
	}
	return false
}
