package gonet

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Dialer connects. Its fields mean what those of net.Dialer mean; the zero Dialer is ready for use.
// Addresses of a name are tried one after the other.
type Dialer struct {
	Timeout         time.Duration
	Deadline        time.Time
	LocalAddr       net.Addr
	KeepAlive       time.Duration
	KeepAliveConfig net.KeepAliveConfig
}

// Dial connects to an address on a network: "tcp", "udp", or one of these with 4 or 6 at its end.
func Dial(network, address string) (net.Conn, error) {
	return new(Dialer).DialContext(context.Background(), network, address)
}

// DialContext is Dial, ended by a context.
func DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return new(Dialer).DialContext(ctx, network, address)
}

// Dial connects to an address.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects to an address. The context ends the attempt, and nothing after it.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !known(network) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: net.UnknownNetworkError(network)}
	}
	if deadline := d.deadline(); !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	addrs, err := resolveAddrs(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var first error
	for i, a := range addrs {
		if !a.Addr().IsValid() { // as in package net: the host itself
			a = netip.AddrPortFrom(loopback(network), a.Port())
		}
		try, cancel := d.share(ctx, len(addrs)-i)
		conn, err := d.dialOne(try, network, a)
		cancel()
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = &net.OpError{Op: "dial", Net: network, Source: d.LocalAddr,
				Addr: netAddr(network, a), Err: err}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

func (d *Dialer) deadline() time.Time {
	deadline := d.Deadline
	if d.Timeout > 0 {
		if t := time.Now().Add(d.Timeout); deadline.IsZero() || t.Before(deadline) {
			deadline = t
		}
	}
	return deadline
}

// share is a context with this attempt's part of the time that is left for a number of them, so
// that an address that does not answer leaves time for the next.
func (d *Dialer) share(ctx context.Context, attempts int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok || attempts <= 1 {
		return context.WithCancel(ctx)
	}
	const least = 2 * time.Second
	left := time.Until(deadline)
	return context.WithTimeout(ctx, min(left, max(left/time.Duration(attempts), least)))
}

func (d *Dialer) dialOne(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	f, err := openFD(network, familyOf(to.Addr()), typeOf(network))
	if err != nil {
		return nil, err
	}
	if isUDP(network) {
		sockSetBroadcast(f.fd, 1) // as package net does
	}
	if local, ok := addrPortOf(d.LocalAddr); ok {
		err = f.bind(withFamily(local, to.Addr()))
	}
	if err == nil {
		err = f.connect(ctx, to)
	}
	if err != nil {
		f.file.Close()
		return nil, err
	}
	if isUDP(network) {
		return &UDPConn{f}, nil
	}
	return newTCPConn(f, d.KeepAlive, d.KeepAliveConfig), nil
}

// withFamily is a local address for a socket of another's family: without an address of its own it
// is the unspecified one.
func withFamily(local netip.AddrPort, other netip.Addr) netip.AddrPort {
	if local.Addr().IsValid() && !local.Addr().IsUnspecified() {
		return local
	}
	if other.Is4() {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), local.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), local.Port())
}

func (f *netFD) bind(a netip.AddrPort) error {
	if e := sockBind(f.fd, sockaddrOf(a).pointer()); e != 0 {
		return os.NewSyscallError("bind", syscall.Errno(e))
	}
	return nil
}

func loopback(network string) netip.Addr {
	if network[len(network)-1] == '6' {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// known reports whether a network is one of those that can be dialled.
func known(network string) bool {
	switch network {
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6":
		return true
	}
	return false
}
