package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// ProxyError is the error of a connection through a proxy. Nothing in it is text of the proxy's.
type ProxyError struct {
	// Proxy is the address of the proxy, HOST:PORT.
	Proxy string
	// Target is the address that was to be reached, or "" if the failure is the proxy's own.
	Target string
	// Problem is the reason, as a phrase.
	Problem string
	// Err is the errno for a guest, or an error that has it.
	Err error
}

func (e *ProxyError) Error() string {
	if e.Target == "" {
		return "proxy " + e.Proxy + ": " + e.Problem
	}
	return "proxy " + e.Proxy + ": " + e.Target + ": " + e.Problem
}

// Unwrap returns Err.
func (e *ProxyError) Unwrap() error { return e.Err }

// Proxy returns a DialFunc that connects through a proxy: socks5://HOST:PORT (RFC 1928; socks5h is
// the same) or http://HOST:PORT (CONNECT of RFC 9110, section 9.3.6). USER:PASSWORD@ before the
// host are credentials (RFC 1929; RFC 7617). Names are resolved by the proxy. via connects to the
// proxy; nil = the network of the host.
//
// The errors of the DialFunc are of type *ProxyError, with the errno that the proxy's answer means
// for a guest, unless ctx ended. An error of Proxy does not repeat the URL, which may have a
// password.
func Proxy(rawURL string, via DialFunc) (DialFunc, error) {
	p, err := parseProxy(rawURL)
	if err != nil {
		return nil, err
	}
	if p.via = via; via == nil {
		p.via = new(net.Dialer).DialContext
	}
	return p.dial, nil
}

// proxy is a proxy of any protocol.
type proxy struct {
	addr           string
	via            DialFunc
	hasCredentials bool
	user, password string
	// connect asks the proxy for a connection to an address. The result is conn, or conn with bytes
	// that were read too early.
	connect func(p *proxy, conn net.Conn, address string) (net.Conn, error)
}

func parseProxy(rawURL string) (*proxy, error) {
	const write = "write socks5://HOST:PORT or http://HOST:PORT, with USER:PASSWORD@ before HOST " +
		"if " +
		"the proxy asks for them"
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, errors.New("this is not the URL of a proxy; " + write)
	}
	p := &proxy{addr: u.Host}
	switch u.Scheme {
	case "socks5", "socks5h":
		p.connect = (*proxy).connectSOCKS
	case "http":
		p.connect = (*proxy).connectHTTP
	default:
		return nil, fmt.Errorf("%q is no protocol of a proxy; "+write, u.Scheme)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	switch host := u.Hostname(); {
	case host == "" || u.Port() == "":
		return nil, errors.New("the host or the port is missing; " + write)
	case strings.Contains(host, ":") && !strings.HasPrefix(u.Host, "["):
		return nil, fmt.Errorf("an IPv6 address without brackets can be read in two ways; write "+
			"[%s]:%s for the port, or [%[1]s:%[2]s]:PORT for the address", host, u.Port())
	case err != nil || port == 0:
		return nil, errors.New("the port must be from 1 to 65535; " + write)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("nothing follows the port of a proxy; " + write)
	}
	if u.User != nil {
		p.hasCredentials, p.user = true, u.User.Username()
		p.password, _ = u.User.Password()
	}
	const most = 255 // RFC 1929, section 2
	if p.hasCredentials && (p.user == "" || len(p.user) > most || len(p.password) > most) {
		return nil, fmt.Errorf("the user has 1 to %d bytes, the password at most %[1]d", most)
	}
	if u.Scheme == "http" && strings.Contains(p.user, ":") {
		return nil, errors.New("the user contains a colon, which HTTP cannot carry")
	}
	return p, nil
}

// dial implements DialFunc.
func (p *proxy) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil, p.failure(address, "it connects streams only", syscall.EPROTONOSUPPORT)
	}
	if err := checkTarget(address); err != nil {
		return nil, p.failure("", err.Error(), syscall.EINVAL)
	}
	conn, err := p.via(ctx, "tcp", p.addr)
	if ctx.Err() != nil {
		if err == nil {
			conn.Close()
		}
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, p.failure("", "it cannot be reached: "+reasonOf(err), syscall.EHOSTUNREACH)
	}
	// A proxy that does not answer must not outlast ctx. Not every connection has deadlines.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	c, err := p.connect(p, conn, address)
	if !stop() {
		conn.Close()
		return nil, ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// reasonOf returns the reason for which the proxy was not reached, without addresses.
func reasonOf(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Err
	}
	return errnoOf(err, syscall.EHOSTUNREACH).Error()
}

// failure makes a ProxyError.
func (p *proxy) failure(target, problem string, errno syscall.Errno) *ProxyError {
	return &ProxyError{Proxy: p.addr, Target: target, Problem: problem, Err: errno}
}

// garbage is the error of an answer that is none of the protocol.
func (p *proxy) garbage(protocol string) *ProxyError {
	return p.failure("", "its answer is not one of "+protocol, syscall.EHOSTUNREACH)
}

// checkTarget refuses an address that a protocol of proxies could read in another way: the host is
// an IP address or a name in the spelling that is judged.
func checkTarget(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return errors.New("the address has no port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("the port is not a number from 1 to 65535")
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" {
			return errors.New("an address with a zone has no meaning to it")
		}
		return nil
	}
	const maxName = 253 // RFC 1035, section 2.3.4
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}
	if host == "" || len(host) > maxName || strings.ContainsFunc(host, other) {
		return errors.New("the host is neither an address nor a name")
	}
	return nil
}
