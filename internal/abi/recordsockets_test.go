package abi_test

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/wasport/wasport/internal/wasi"
)

// refusing returns an address where nobody listens.
func (c *caller) refusing(family uint64) netip.AddrPort {
	l, a := c.listener(family)
	c.must("fd_close", l)
	return a
}

// reset makes a connection that its peer has reset, and waits until that is known here.
func (c *caller) reset() uint64 {
	a, b := c.pair(0)
	c.must("sock_set_linger", b, 1, 0)
	c.must("fd_close", b)
	c.poll(readable(1, a))
	return a
}

// connecting starts a connection without blocking.
func (c *caller) connecting(to netip.AddrPort) uint64 {
	fd := c.open(0, stream)
	c.must("fd_fdstat_set_flags", fd, uint64(wasi.FdflagNonblock))
	if e := c.call("sock_connect", fd, c.putAddr(to)); e != wasi.EINPROGRESS {
		c.t.Fatalf("got %v, want %v", e, wasi.EINPROGRESS)
	}
	c.poll(writable(1, fd))
	return fd
}

func (c *caller) pendingError(fd uint64) wasi.Errno {
	c.must("sock_get_option", fd, 1, out)
	return wasi.Errno(c.u32(out))
}

// receive calls sock_recv, and returns the number of bytes or the errno.
func (c *caller) receive(fd, flags uint64) string {
	if e := c.call("sock_recv", fd, iov, 1, flags, out, out2); e != wasi.Success {
		return e.String()
	}
	return fmt.Sprintf("%d bytes, flags %d", c.u32(out), c.u32(out2)&0xffff)
}

func (c *caller) send(fd uint64) wasi.Errno { return c.call("sock_send", fd, iov, 1, 0, out) }

// connected makes a datagram socket with a peer.
func (c *caller) connected(to netip.AddrPort) uint64 {
	fd := c.open(0, datagram)
	c.must("sock_set_recv_timeout", fd, 5_000_000)
	c.must("sock_connect", fd, c.putAddr(to))
	return fd
}

var socketSituations = []situation{
	{"sock_addr_local", "unbound, IPv4", func(c *caller) string {
		c.must("sock_addr_local", c.open(0, stream), out)
		return c.getAddr(out).String()
	}},
	{"sock_addr_local", "unbound, IPv6, datagrams", func(c *caller) string {
		c.must("sock_addr_local", c.open(inet6, datagram), out)
		return c.getAddr(out).String()
	}},
	{"sock_addr_remote", "after a shutdown of both directions", func(c *caller) string {
		a, _ := c.pair(0)
		c.must("sock_shutdown", a, 3)
		return c.call("sock_addr_remote", a, out).String()
	}},
	{"sock_bind", "where another listens, both with SO_REUSEADDR", func(c *caller) string {
		l, a := c.listener(0)
		fd := c.open(0, stream)
		c.must("sock_set_reuse_addr", l, 1)
		c.must("sock_set_reuse_addr", fd, 1)
		return c.call("sock_bind", fd, c.putAddr(a)).String()
	}},
	{"sock_bind", "two datagram sockets, both with SO_REUSEADDR", func(c *caller) string {
		return c.bindTwo(datagram, "sock_set_reuse_addr")
	}},
	{"sock_bind", "two datagram sockets, both with SO_REUSEPORT", func(c *caller) string {
		return c.bindTwo(datagram, "sock_set_reuse_port")
	}},
	{"sock_bind", "two streams, both with SO_REUSEPORT", func(c *caller) string {
		return c.bindTwo(stream, "sock_set_reuse_port")
	}},
	{"sock_connect", "without blocking, called until it is done", func(c *caller) string {
		_, a := c.listener(0)
		fd := c.connecting(a)
		return results(wasi.EINPROGRESS, c.call("sock_connect", fd, c.putAddr(a)),
			c.call("sock_connect", fd, at))
	}},
	{"sock_connect", "without blocking, refused, called until it is done", func(c *caller) string {
		fd := c.connecting(c.refusing(0))
		return results(wasi.EINPROGRESS, c.call("sock_connect", fd, at))
	}},
	{"sock_connect", "again after it was refused", func(c *caller) string {
		_, good := c.listener(0)
		fd := c.open(0, stream)
		return results(c.call("sock_connect", fd, c.putAddr(c.refusing(0))),
			c.call("sock_connect", fd, c.putAddr(good)))
	}},
	{"sock_connect", "mapped address on an IPv6 socket", func(c *caller) string {
		_, a := c.listener(0)
		mapped := netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
		return c.call("sock_connect", c.open(inet6, stream), c.putAddr(mapped)).String()
	}},
	{"sock_connect", "mapped address, IPv6 only", func(c *caller) string {
		_, a := c.listener(0)
		mapped := netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
		fd := c.open(inet6, stream)
		c.must("sock_set_ipv6_only", fd, 1)
		return c.call("sock_connect", fd, c.putAddr(mapped)).String()
	}},
	{"sock_connect", "on a listener", func(c *caller) string {
		l, a := c.listener(0)
		return c.call("sock_connect", l, c.putAddr(a)).String()
	}},
	{"sock_connect", "datagrams, another peer", func(c *caller) string {
		_, _, a, b := c.datagrams(0)
		fd := c.connected(a)
		return c.call("sock_connect", fd, c.putAddr(b)).String()
	}},
	{"sock_get_option", "SO_ERROR, refused, read twice", func(c *caller) string {
		fd := c.connecting(c.refusing(0))
		return results(c.pendingError(fd), c.pendingError(fd))
	}},
	{"sock_get_option", "SO_ERROR, connected", func(c *caller) string {
		_, a := c.listener(0)
		return results(c.pendingError(c.connecting(a)))
	}},
	{"sock_get_option", "SO_ERROR, reset, read twice", func(c *caller) string {
		fd := c.reset()
		return results(c.pendingError(fd), c.pendingError(fd))
	}},
	{"sock_get_option", "SO_ACCEPTCONN of a listener", func(c *caller) string {
		l, _ := c.listener(0)
		c.must("sock_get_option", l, 2, out)
		return fmt.Sprint(c.u32(out))
	}},
	{"sock_recv", "reset, received twice", func(c *caller) string {
		fd := c.reset()
		return c.receive(fd, 0) + ", then " + c.receive(fd, 0)
	}},
	{"sock_recv", "after the peer's end", func(c *caller) string {
		a, b := c.pair(0)
		c.must("fd_close", b)
		return c.receive(a, 0)
	}},
	{"sock_recv", "after a shutdown of receiving", func(c *caller) string {
		a, _ := c.pair(0)
		c.must("sock_shutdown", a, 1)
		return c.receive(a, 0)
	}},
	{"sock_recv", "peeked, then taken", func(c *caller) string {
		a, b := c.pair(0)
		c.must("sock_send", a, iov, 1, 0, out)
		return c.receive(b, wasi.RiflagPeek) + ", then " + c.receive(b, 0)
	}},
	{"sock_recv", "datagram that is too long, peeked, then taken", func(c *caller) string {
		a, b, _, to := c.datagrams(0)
		c.must("sock_send_to", a, iov, 1, 0, c.putAddr(to), out)
		c.memory()[iov+4] = 10
		return c.receive(b, wasi.RiflagPeek) + ", then " + c.receive(b, 0)
	}},
	{"sock_recv", "empty datagram", func(c *caller) string {
		a, b, _, to := c.datagrams(0)
		c.must("sock_send_to", a, iov, 0, 0, c.putAddr(to), out)
		return c.receive(b, 0)
	}},
	{"sock_recv", "datagrams refused", func(c *caller) string {
		a, _, _, gone := c.datagrams(0)
		c.must("fd_close", a+1)
		fd := c.connected(gone)
		return c.send(fd).String() + ", then " + c.receive(fd, 0)
	}},
	{"sock_recv_from", "on a stream, whose peer it gives", func(c *caller) string {
		a, b := c.pair(0)
		c.must("sock_send", a, iov, 1, 0, out)
		e := c.call("sock_recv_from", b, iov, 1, 0, out, out2)
		from := c.getAddr(out)
		c.must("sock_addr_remote", b, out)
		return fmt.Sprintf("%v, the peer: %v", e, from == c.getAddr(out))
	}},
	{"sock_send", "reset", func(c *caller) string { return c.send(c.reset()).String() }},
	{"sock_send", "reset that was received", func(c *caller) string {
		fd := c.reset()
		return c.receive(fd, 0) + ", then " + c.send(fd).String()
	}},
	{"sock_send_to", "on a connected datagram socket, elsewhere", func(c *caller) string {
		_, _, peer, other := c.datagrams(0)
		return c.call("sock_send_to", c.connected(peer), iov, 1, 0, c.putAddr(other),
			out).String()
	}},
	{"sock_send_to", "a datagram of 60000 bytes", func(c *caller) string {
		a, _, _, to := c.datagrams(0)
		c.putAddr(to)
		copy(c.memory()[iov:], []byte{0, 0, 0, 0, 0x60, 0xea, 0, 0})
		return c.call("sock_send_to", a, iov, 1, 0, at, out).String()
	}},
	{"sock_shutdown", "twice", func(c *caller) string {
		a, _ := c.pair(0)
		return results(c.call("sock_shutdown", a, 2), c.call("sock_shutdown", a, 2))
	}},
	{"sock_shutdown", "of a listener, then accept", func(c *caller) string {
		l, _ := c.listener(0)
		return results(c.call("sock_shutdown", l, 3), c.call("sock_accept", l, 0, out))
	}},
	{"sock_shutdown", "of unconnected datagrams", func(c *caller) string {
		return c.call("sock_shutdown", c.open(0, datagram), 3).String()
	}},
	{"sock_shutdown", "reset", func(c *caller) string {
		return c.call("sock_shutdown", c.reset(), 3).String()
	}},
	{"sock_disconnect", "then the peer is asked for", func(c *caller) string {
		_, _, a, _ := c.datagrams(0)
		fd := c.connected(a)
		return results(c.call("sock_disconnect", fd), c.call("sock_addr_remote", fd, out))
	}},
	{"sock_disconnect", "of a stream", func(c *caller) string {
		a, _ := c.pair(0)
		return c.call("sock_disconnect", a).String()
	}},
	{"sock_set_ip_add_membership", "interface that there is not", func(c *caller) string {
		c.putAddr(netip.MustParseAddrPort("239.1.2.3:0"))
		return c.call("sock_set_ip_add_membership", c.open(0, datagram), at,
			0x04030201).String()
	}},
	{"sock_set_ip_add_membership", "IPv6, loopback", func(c *caller) string {
		c.putAddr(netip.MustParseAddrPort("[ff02::1234]:0"))
		return c.call("sock_set_ip_add_membership", c.open(inet6, datagram), at, 1).String()
	}},
	{"sock_set_ip_add_membership", "IPv6, interface 12345", func(c *caller) string {
		c.putAddr(netip.MustParseAddrPort("[ff02::1234]:0"))
		return c.call("sock_set_ip_add_membership", c.open(inet6, datagram), at,
			12345).String()
	}},
	{"sock_interfaces", "whether loopback is among them", func(c *caller) string {
		c.must("sock_interfaces", out, 64, iov+64)
		for i := range c.u32(iov + 64) {
			if c.getAddr(out + 56*i).Addr().IsLoopback() {
				return "yes"
			}
		}
		return "no"
	}},
	{"sock_addr_resolve", "name of a table", func(c *caller) string {
		if e := c.resolve("allowed.test", "80", 0, 0, 0, 4); e != wasi.Success {
			return e.String()
		}
		return fmt.Sprintf("%d results", c.u32(out2))
	}},
}

// bindTwo binds two sockets with an option to one address.
func (c *caller) bindTwo(typ uint64, option string) string {
	var errnos []wasi.Errno
	to := loopback(0)
	for range 2 {
		fd := c.open(0, typ)
		c.must(option, fd, 1)
		errnos = append(errnos, c.call("sock_bind", fd, c.putAddr(to)))
		c.must("sock_addr_local", fd, out)
		to = c.getAddr(out)
	}
	return strings.ReplaceAll(results(errnos...), "then ", "the second ")
}
