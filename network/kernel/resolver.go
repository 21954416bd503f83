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

// A server named in Config has attemptTimeout for one attempt. The host's configuration sets the
// number of attempts (resolv.conf(5)); all of them together end after lookupTimeout.
const (
	attemptTimeout = 2 * time.Second
	lookupTimeout  = 5 * time.Second
)

// fileLife is the life of an answer of the hosts file. Go's resolver looks every 5 s whether the
// file's time or size has changed, so a change is seen after 6 s at the latest.
const fileLife = time.Second

// resolver implements network.Resolver with Go's resolver. It takes every name as absolute: the
// host's search domains (resolv.conf(5)) would turn the name that was judged into another one.
type resolver struct {
	// server is the server of the Config. If it is empty, the host's own servers are asked.
	server string
	hosts  map[string][]netip.Addr
}

// hostsFile reads the hosts file and asks no server.
var hostsFile = &net.Resolver{PreferGo: true,
	Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.ErrUnsupported
	}}

func newResolver(c Config) resolver {
	r := resolver{server: c.Server}
	if len(c.Hosts) > 0 {
		r.hosts = make(map[string][]netip.Addr, len(c.Hosts))
	}
	for name, addrs := range c.Hosts {
		name = canonicalName(name)
		for _, a := range addrs {
			r.hosts[name] = append(r.hosts[name], a.Unmap())
		}
	}
	return r
}

// newNetResolver returns a resolver for one lookup. Two lookups of a name through one net.Resolver
// are merged into one, which goes on when one of them is cancelled. Nor may two lookups share
// connections.
func (r *resolver) newNetResolver() *net.Resolver {
	host := net.DefaultResolver
	fresh := &net.Resolver{PreferGo: host.PreferGo, StrictErrors: host.StrictErrors}
	if r.server != "" {
		fresh.PreferGo, fresh.Dial = true, dialServer(r.server)
		return fresh
	}
	dial := host.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	fresh.Dial = func(ctx context.Context, transport, server string) (net.Conn, error) {
		c, err := dial(ctx, transport, server)
		if err == nil {
			closeWhenDone(ctx, c)
		}
		return c, err
	}
	return fresh
}

// closeWhenDone closes a connection when ctx ends. Go's resolver reads from it until its deadline,
// even after ctx has ended.
func closeWhenDone(ctx context.Context, c net.Conn) {
	context.AfterFunc(ctx, func() { c.Close() })
}

// canonicalName lowers the case of a name and removes a final dot (RFC 4343).
func canonicalName(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// dialServer returns a dial function that ignores the address that Go's resolver asks for.
func dialServer(server string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, transport, _ string) (net.Conn, error) {
		d := net.Dialer{Timeout: attemptTimeout}
		c, err := d.DialContext(ctx, transport, server)
		if err != nil {
			return nil, err
		}
		closeWhenDone(ctx, c)
		// Go's resolver frames its messages by the type of the connection.
		if udp, ok := c.(*net.UDPConn); ok {
			return deadlineUDPConn{udp}, nil
		}
		return deadlineConn{c}, nil
	}
}

// deadlineConn and deadlineUDPConn end an attempt after attemptTimeout at the latest.
type deadlineConn struct{ net.Conn }

func (c deadlineConn) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(capDeadline(t)) }

type deadlineUDPConn struct{ *net.UDPConn }

func (c deadlineUDPConn) SetDeadline(t time.Time) error {
	return c.UDPConn.SetDeadline(capDeadline(t))
}

// capDeadline returns the earlier of a deadline and the end of an attempt that begins now.
func capDeadline(t time.Time) time.Time {
	if limit := time.Now().Add(attemptTimeout); t.IsZero() || t.After(limit) {
		return limit
	}
	return t
}

// LookupAddrs implements network.Resolver. It asks the hosts of the Config, then the hosts file,
// then the server.
func (r *resolver) LookupAddrs(ctx context.Context, family network.Family,
	name string) ([]netip.Addr, error) {
	addrs, _, err := r.LookupAddrsTTL(ctx, family, name)
	return addrs, err
}

// LookupAddrsTTL implements network.TTLResolver.
func (r *resolver) LookupAddrsTTL(ctx context.Context, family network.Family,
	name string) ([]netip.Addr, time.Duration, error) {
	if family > network.IPv6 {
		return nil, 0, syscall.EAFNOSUPPORT
	}
	addrs, ok := r.hosts[canonicalName(name)]
	life := fileLife
	if !ok {
		var err error
		addrs, life, err = r.lookupIP(ctx, [...]string{"ip", "ip4", "ip6"}[family], name)
		if err != nil {
			return nil, 0, lookupError(ctx, name, err)
		}
	}
	addrs, err := filterFamily(addrs, family, name)
	return addrs, life, err
}

// lookupIP looks an absolute name up in the hosts file first, which is the default of
// nsswitch.conf(5), and then asks the server. It reads the hosts file itself, since the host's
// resolver cannot do both: without a final dot it appends its search domains, and with one it does
// not find the names of the hosts file, which have none. Go's resolver finds them, but only names
// of several labels.
func (r *resolver) lookupIP(ctx context.Context, kind, name string) ([]netip.Addr, time.Duration,
	error) {
	name = strings.TrimSuffix(name, ".")
	inFile := name
	if strings.Contains(name, ".") {
		// Go's resolver then looks for this one name. Without the dot it would try the search
		// domains, too.
		inFile += "."
	}
	if addrs, err := hostsFile.LookupNetIP(ctx, kind, inFile); err == nil {
		return addrs, fileLife, nil
	}
	if isLocalhost(strings.ToLower(name)) {
		return loopback, fileLife, nil
	}
	ctx, cancel := r.limit(ctx)
	defer cancel()
	var got replies
	fresh := r.newNetResolver()
	fresh.Dial = got.wrapDial(fresh.Dial)
	addrs, err := fresh.LookupNetIP(ctx, kind, name+".")
	return addrs, got.life(), err
}

// limit bounds the attempts to ask the server of the Config.
func (r *resolver) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.server == "" {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, lookupTimeout)
}

// isLocalhost reports whether a canonical name is localhost or below it.
func isLocalhost(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// loopback holds the addresses of localhost, and of every name under it, if the hosts file has
// none: RFC 6761, section 6.3, forbids asking a server.
var loopback = []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}

// filterFamily returns the addresses of one family, or NoSuchHost if there are none.
func filterFamily(addrs []netip.Addr, family network.Family, name string) ([]netip.Addr, error) {
	var matching []netip.Addr
	for _, a := range addrs {
		a = a.Unmap()
		if family == network.AnyFamily || a.Is4() == (family == network.IPv4) {
			matching = append(matching, a)
		}
	}
	if matching == nil {
		return nil, &network.LookupError{Name: name, Failure: network.NoSuchHost}
	}
	return matching, nil
}

// LookupPort implements network.Resolver, from the services that the host knows (services(5)).
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
		if port, err = r.newNetResolver().LookupPort(ctx, transport, service); err == nil {
			return uint16(port), nil
		}
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return 0, &network.LookupError{Name: service, Failure: network.NoSuchHost, Err: err}
}

// lookupError makes a network.LookupError of an error of Go's resolver:
//
//   - NoSuchHost: the name does not exist, or has no address of the family.
//   - ServerFailure: a server replied, and the reply is of no use. The guest gets EIO.
//   - NoAnswer: no server replied in time, or another error prevented the query. The guest gets
//     EAGAIN.
func lookupError(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failure := network.NoAnswer
	var dns *net.DNSError
	var addr *net.AddrError
	switch {
	// The name has addresses, but none of the family.
	case errors.As(err, &addr):
		failure = network.NoSuchHost
	case !errors.As(err, &dns):
	case dns.IsNotFound:
		failure = network.NoSuchHost
	case dns.IsTimeout:
	case serverAnswered(dns.Err):
		failure = network.ServerFailure
	}
	return &network.LookupError{Name: name, Failure: failure, Err: err}
}

// serverAnswered reports whether the text of a net.DNSError says that a server replied. Such a
// reply is malformed, does not belong to the query, refers to another server, or has an RCODE other
// than 0 and 3 (RFC 1035, section 4.1.1). Package net does not export these errors, so their texts
// are compared.
func serverAnswered(text string) bool {
	switch text {
	case "server misbehaving", "lame referral", "cannot unmarshal DNS message",
		"invalid DNS response", "no answer from DNS server":
		return true
	}
	return false
}
