package abi_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

const inet6 = wasi.AddressFamilyInet6

// wrongCall is a call of an import that fails.
type wrongCall struct {
	name string
	want wasi.Errno
	do   func(c *caller) wasi.Errno
}

// wrongCalls have the errors that TestImportWithWrongPointerOrDescriptor does not cover.
func wrongCalls() []wrongCall {
	return []wrongCall{
		{"open family 2", wasi.EAFNOSUPPORT,
			func(c *caller) wasi.Errno { return c.call("sock_open", minusOne, 2, stream, out) }},
		{"open family -1", wasi.EAFNOSUPPORT,
			func(c *caller) wasi.Errno {
				return c.call("sock_open", minusOne, minusOne, stream,
					out)
			}},
		{"open type 2", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("sock_open", minusOne, 0, 2, out) }},
		{"open type any", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("sock_open", minusOne, 0, minusOne, out) }},

		{"bind kind", wasi.EPROTONOSUPPORT, func(c *caller) wasi.Errno {
			fd := c.open(0, stream)
			binary.LittleEndian.PutUint32(c.memory()[at:], 7)
			return c.call("sock_bind", fd, at)
		}},
		{"bind denied", wasi.EACCES, func(c *caller) wasi.Errno {
			return c.call("sock_bind", c.open(0, stream),
				c.putAddr(netip.MustParseAddrPort("192.0.2.1:80")))
		}},
		{"bind in use", wasi.EADDRINUSE, func(c *caller) wasi.Errno {
			_, a := c.listener(0)
			return c.call("sock_bind", c.open(0, stream), c.putAddr(a))
		}},
		{"bind twice", wasi.EINVAL, func(c *caller) wasi.Errno {
			l, _ := c.listener(0)
			return c.call("sock_bind", l, c.putAddr(loopback(0)))
		}},
		{"bind IPv6 on IPv4", wasi.EAFNOSUPPORT, func(c *caller) wasi.Errno {
			return c.call("sock_bind", c.open(0, stream), c.putAddr(loopback(inet6)))
		}},
		{"bind IPv4 on IPv6", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_bind", c.open(inet6, stream), c.putAddr(loopback(0)))
		}},

		{"listen on datagrams", wasi.ENOTSUP, func(c *caller) wasi.Errno {
			fd := c.open(0, datagram)
			c.must("sock_bind", fd, c.putAddr(loopback(0)))
			return c.call("sock_listen", fd, 5)
		}},
		{"listen unbound, which is everywhere", wasi.EACCES, func(c *caller) wasi.Errno {
			return c.call("sock_listen", c.open(0, stream), 5)
		}},

		{"accept without listening", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("sock_accept", c.open(0, stream), 0, out) }},
		{"accept on datagrams", wasi.ENOTSUP,
			func(c *caller) wasi.Errno {
				return c.call("sock_accept", c.open(0, datagram), 0,
					out)
			}},
		{"accept with unknown flags", wasi.EINVAL, func(c *caller) wasi.Errno {
			l, _ := c.listener(0)
			return c.call("sock_accept", l, 1<<10, out)
		}},
		{"accept with nothing pending", wasi.EAGAIN, func(c *caller) wasi.Errno {
			l, _ := c.listener(0)
			c.must("fd_fdstat_set_flags", l, uint64(wasi.FdflagNonblock))
			return c.call("sock_accept", l, 0, out)
		}},
		{"accept timed out", wasi.EAGAIN, func(c *caller) wasi.Errno {
			l, _ := c.listener(0)
			c.must("sock_set_recv_timeout", l, 1000)
			return c.call("sock_accept", l, 0, out)
		}},

		{"connect kind", wasi.EPROTONOSUPPORT, func(c *caller) wasi.Errno {
			fd := c.open(0, stream)
			binary.LittleEndian.PutUint32(c.memory()[at:], 2)
			return c.call("sock_connect", fd, at)
		}},
		{"connect denied", wasi.EACCES, func(c *caller) wasi.Errno {
			return c.call("sock_connect", c.open(0, stream),
				c.putAddr(netip.MustParseAddrPort("192.0.2.1:80")))
		}},
		{"connect denied, mapped", wasi.EACCES, func(c *caller) wasi.Errno {
			return c.call("sock_connect", c.open(inet6, stream),
				c.putAddr(netip.MustParseAddrPort("[::ffff:192.0.2.1]:80")))
		}},
		{"connect refused", wasi.ECONNREFUSED, func(c *caller) wasi.Errno {
			l, a := c.listener(0)
			c.must("fd_close", l)
			return c.call("sock_connect", c.open(0, stream), c.putAddr(a))
		}},
		{"connect twice", wasi.EISCONN, func(c *caller) wasi.Errno {
			_, a := c.listener(0)
			fd := c.open(0, stream)
			c.must("sock_connect", fd, c.putAddr(a))
			return c.call("sock_connect", fd, at)
		}},
		{"connect IPv6 on IPv4", wasi.EAFNOSUPPORT, func(c *caller) wasi.Errno {
			return c.call("sock_connect", c.open(0, stream),
				c.putAddr(netip.MustParseAddrPort("[::1]:80")))
		}},
		{"connect IPv4 on IPv6", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_connect", c.open(inet6, stream),
				c.putAddr(netip.MustParseAddrPort("127.0.0.1:80")))
		}},

		{"send unconnected datagrams", wasi.EDESTADDRREQ,
			func(c *caller) wasi.Errno {
				return c.call("sock_send", c.open(0, datagram), iov, 1, 0,
					out)
			}},
		{"send unconnected stream", wasi.EPIPE,
			func(c *caller) wasi.Errno {
				return c.call("sock_send", c.open(0, stream), iov, 1, 0,
					out)
			}},
		{"send after shutdown", wasi.EPIPE, func(c *caller) wasi.Errno {
			a, _ := c.pair(0)
			c.must("sock_shutdown", a, 2)
			return c.call("sock_send", a, iov, 1, 0, out)
		}},
		{"send an iovec out of memory", wasi.EFAULT, func(c *caller) wasi.Errno {
			a, _ := c.pair(0)
			binary.LittleEndian.PutUint32(c.memory()[iov+4:], math.MaxUint32)
			return c.call("sock_send", a, iov, 1, 0, out)
		}},
		{"send too many iovecs", wasi.EINVAL, func(c *caller) wasi.Errno {
			a, _ := c.pair(0)
			return c.call("sock_send", a, iov, wasi.MaxVectors+1, 0, out)
		}},
		{"send too big a datagram", wasi.EMSGSIZE, func(c *caller) wasi.Errno {
			a, _, _, b := c.datagrams(0)
			c.putAddr(b)
			binary.LittleEndian.PutUint32(c.memory()[iov:], 0)
			binary.LittleEndian.PutUint32(c.memory()[iov+4:], memorySize-1)
			return c.call("sock_send_to", a, iov, 1, 0, at, out)
		}},
		{"send_to kind", wasi.EPROTONOSUPPORT, func(c *caller) wasi.Errno {
			fd := c.open(0, datagram)
			binary.LittleEndian.PutUint32(c.memory()[at:], 2)
			return c.call("sock_send_to", fd, iov, 1, 0, at, out)
		}},
		{"send_to denied", wasi.EACCES, func(c *caller) wasi.Errno {
			return c.call("sock_send_to", c.open(0, datagram), iov, 1, 0,
				c.putAddr(netip.MustParseAddrPort("192.0.2.1:80")), out)
		}},
		{"send_to elsewhere while connected, denied", wasi.EACCES, func(c *caller) wasi.Errno {
			a, _, _, b := c.datagrams(0)
			c.must("sock_connect", a, c.putAddr(b))
			return c.call("sock_send_to", a, iov, 1, 0,
				c.putAddr(netip.MustParseAddrPort("192.0.2.1:80")), out)
		}},

		{"recv unconnected stream", wasi.ENOTCONN,
			func(c *caller) wasi.Errno {
				return c.call("sock_recv", c.open(0, stream), iov, 1, 0,
					out, out2)
			}},
		{"recv with nothing there", wasi.EAGAIN, func(c *caller) wasi.Errno {
			a, _ := c.pair(0)
			c.must("fd_fdstat_set_flags", a, uint64(wasi.FdflagNonblock))
			return c.call("sock_recv", a, iov, 1, 0, out, out2)
		}},
		{"recv timed out", wasi.EAGAIN, func(c *caller) wasi.Errno {
			a, _ := c.pair(0)
			c.must("sock_set_recv_timeout", a, 1000)
			return c.call("sock_recv", a, iov, 1, 0, out, out2)
		}},
		{"recv with unknown flags", wasi.EINVAL, func(c *caller) wasi.Errno {
			a, _ := c.pair(0)
			return c.call("sock_recv", a, iov, 1, 8, out, out2)
		}},
		{"recv_from with unknown flags", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_recv_from", c.open(0, datagram), iov,
					1, 4, 0, out2)
			}},
		{"recv_msg would block", wasi.EAGAIN, func(c *caller) wasi.Errno {
			a, _ := c.pair(0)
			return c.call("sock_recv_msg", a, iov, 1, 4, 0, out, 0)
		}},
		{"recv_msg with unknown flags", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_recv_msg", c.open(0, datagram), iov, 1,
					8, 0, out, 0)
			}},
		{"send_msg with unknown flags", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_send_msg", c.open(0, datagram), iov, 1,
					1, 0, out)
			}},
		{"recv_control with unknown flags", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_recv_control", c.open(0, datagram), iov, 1,
					8, 0, out, 0, out3)
			}},
		{"send_control with an unknown field", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.sendControl(0, controlData{fields: 1 << 7}) }},
		{"send_control of a time", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.sendControl(0, controlData{fields: 64}) }},
		{"send_control from an unknown kind of address", wasi.EPROTONOSUPPORT,
			func(c *caller) wasi.Errno { return c.sendControl(0, controlData{kind: 7}) }},
		{"send_msg nowhere", wasi.EDESTADDRREQ,
			func(c *caller) wasi.Errno {
				return c.call("sock_send_msg", c.open(0, datagram), iov, 1,
					0, 0, out)
			}},

		{"shutdown unconnected", wasi.ENOTCONN,
			func(c *caller) wasi.Errno { return c.call("sock_shutdown", c.open(0, stream), 3) }},
		{"shutdown nothing", wasi.EINVAL, func(c *caller) wasi.Errno {
			a, _ := c.pair(0)
			return c.call("sock_shutdown", a, 0)
		}},
		{"shutdown 99", wasi.EINVAL, func(c *caller) wasi.Errno {
			a, _ := c.pair(0)
			return c.call("sock_shutdown", a, 99)
		}},
		{"peer of unconnected", wasi.ENOTCONN,
			func(c *caller) wasi.Errno {
				return c.call("sock_addr_remote", c.open(0, stream),
					out)
			}},

		{"TTL 0", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("sock_set_ip_ttl", c.open(0, stream), 0) }},
		{"no delay on datagrams", wasi.ENOPROTOOPT,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_tcp_no_delay", c.open(0, datagram),
					1)
			}},
		{"keep idle 0", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_tcp_keep_idle", c.open(0, stream),
					0)
			}},
		{"keep idle 40000", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_tcp_keep_idle", c.open(0, stream),
					40000)
			}},
		{"keep idle on datagrams", wasi.ENOPROTOOPT,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_tcp_keep_idle",
					c.open(0, datagram), 9)
			}},
		{"multicast TTL on a stream", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_ip_multicast_ttl",
					c.open(0, stream), 9)
			}},
		{"IPv6 loop of IPv4, get", wasi.ENOTSUP,
			func(c *caller) wasi.Errno {
				return c.call("sock_get_ip_multicast_loop",
					c.open(0, datagram), 1, out)
			}},
		{"IPv6 loop of IPv4, set", wasi.ENOPROTOOPT,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_ip_multicast_loop",
					c.open(0, datagram), 1, 1)
			}},
		{"IPv6 only of IPv4, get", wasi.ENOTSUP,
			func(c *caller) wasi.Errno {
				return c.call("sock_get_ipv6_only", c.open(0, datagram),
					out)
			}},
		{"IPv6 only of IPv4, set", wasi.ENOPROTOOPT,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_ipv6_only", c.open(0, datagram),
					1)
			}},
		{"negative linger", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_linger", c.open(0, stream), 1,
					minusOne)
			}},

		{"join kind", wasi.EPROTONOSUPPORT, func(c *caller) wasi.Errno {
			fd := c.open(0, datagram)
			binary.LittleEndian.PutUint32(c.memory()[at:], 7)
			return c.call("sock_set_ip_add_membership", fd, at, 0)
		}},
		{"join twice", wasi.EADDRINUSE, func(c *caller) wasi.Errno {
			fd := c.open(0, datagram)
			c.putAddr(netip.MustParseAddrPort("239.1.2.3:0"))
			c.must("sock_set_ip_add_membership", fd, at, 0x0100007f)
			return c.call("sock_set_ip_add_membership", fd, at, 0x0100007f)
		}},
		{"leave without joining", wasi.EADDRNOTAVAIL, func(c *caller) wasi.Errno {
			fd := c.open(0, datagram)
			c.putAddr(netip.MustParseAddrPort("239.1.2.3:0"))
			return c.call("sock_set_ip_drop_membership", fd, at, 0x0100007f)
		}},
		{"join what is no group", wasi.EACCES, func(c *caller) wasi.Errno {
			fd := c.open(0, datagram)
			c.putAddr(netip.MustParseAddrPort("127.0.0.1:0"))
			return c.call("sock_set_ip_add_membership", fd, at, 0x0100007f)
		}},
		{"join on a stream", wasi.EPROTO, func(c *caller) wasi.Errno {
			fd := c.open(0, stream)
			c.putAddr(netip.MustParseAddrPort("239.1.2.3:0"))
			return c.call("sock_set_ip_add_membership", fd, at, 0x0100007f)
		}},
		{"join an IPv6 group on IPv4", wasi.ENOPROTOOPT, func(c *caller) wasi.Errno {
			fd := c.open(0, datagram)
			c.putAddr(netip.MustParseAddrPort("[ff02::1]:0"))
			return c.call("sock_set_ip_add_membership", fd, at, 1)
		}},

		{"unknown option", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_get_option", c.open(0, stream), 99,
					out)
			}},
		{"set what can only be read", wasi.ENOPROTOOPT,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_option", c.open(0, stream), 1,
					0)
			}},
		{"set out of range", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("sock_set_option", c.open(0, stream), 3,
					128)
			}},

		{"resolve a name that is not allowed", wasi.EACCES,
			func(c *caller) wasi.Errno { return c.resolve("denied.test", "", 0, 0, 0, 4) }},
		{"resolve nothing", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.resolve("", "", 0, 0, 0, 4) }},
		{"resolve to a service that does not exist", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.resolve("127.0.0.1", "no-such-service", 0, 0, 0,
					4)
			}},
		{"resolve to a port beyond 65535", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.resolve("127.0.0.1", "99999", 0, 0, 0, 4) }},
		{"resolve a literal of another family", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.resolve("127.0.0.1", "", 1, inet6, minusOne,
					4)
			}},
		{"resolve an odd spelling, which is a name", wasi.EACCES,
			func(c *caller) wasi.Errno { return c.resolve("0x7f.1", "", 0, 0, 0, 4) }},
		{"resolve for family 3", wasi.EAFNOSUPPORT,
			func(c *caller) wasi.Errno { return c.resolve("127.0.0.1", "", 1, 3, minusOne, 4) }},
		{"resolve for type 7", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.resolve("127.0.0.1", "", 1, 2, 7, 4) }},
		{"resolve into too much", wasi.EFAULT,
			func(c *caller) wasi.Errno {
				return c.resolve("127.0.0.1", "", 0, 0, 0,
					math.MaxUint32)
			}},
		{"resolve a name without an end", wasi.EFAULT, func(c *caller) wasi.Errno {
			m := c.memory()
			for i := memorySize - 16; i < memorySize; i++ {
				m[i] = 'a'
			}
			return c.call("sock_addr_resolve", memorySize-16, path2, at, out, 4, out2)
		}},

		{"poll nothing", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("poll_oneoff", at, out, 0, out2) }},
		{"poll for too much", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("poll_oneoff", at, out, 2*8192+1, out2) }},
		{"poll too many descriptors", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("fd_poll", 0, 2*8192+1, 0, out2) }},
		{"poll for an unknown event", wasi.EINVAL, func(c *caller) wasi.Errno {
			clear(c.memory()[at : at+wasi.SizeSubscription])
			c.memory()[at+8] = 9
			return c.call("poll_oneoff", at, out, 1, out2)
		}},
		{"time of an unknown clock", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("clock_time_get", 9, 0, out) }},
		{"resolution of an unknown clock", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("clock_res_get", 9, out) }},
		{"raise", wasi.ENOSYS, func(c *caller) wasi.Errno { return c.call("proc_raise", 9) }},

		{"more rights", wasi.ENOTCAPABLE,
			func(c *caller) wasi.Errno {
				return c.call("fd_fdstat_set_rights", stdin,
					math.MaxUint64, 0)
			}},
		{"unknown flags", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("fd_fdstat_set_flags", c.open(0, stream),
					1<<9)
			}},
		{"read a directory", wasi.ENOTCAPABLE,
			func(c *caller) wasi.Errno { return c.call("fd_read", dir, iov, 1, out) }},
		{"write to stdin", wasi.ENOTCAPABLE,
			func(c *caller) wasi.Errno { return c.call("fd_write", stdin, iov, 1, out) }},
		{"read without the right", wasi.ENOTCAPABLE, func(c *caller) wasi.Errno {
			fd := c.openFile()
			c.must("fd_fdstat_set_rights", fd, 0, 0)
			return c.call("fd_read", fd, iov, 1, out)
		}},
		{"seek a socket", wasi.ENOTCAPABLE,
			func(c *caller) wasi.Errno { return c.call("fd_seek", c.open(0, stream), 0, 0, out) }},
		{"sync a socket", wasi.ENOTCAPABLE,
			func(c *caller) wasi.Errno { return c.call("fd_sync", c.open(0, stream)) }},
		{"pread a socket", wasi.ESPIPE,
			func(c *caller) wasi.Errno {
				return c.call("fd_pread", c.open(0, stream), iov, 1, 0,
					out)
			}},
		{"pwrite a socket", wasi.ESPIPE,
			func(c *caller) wasi.Errno {
				return c.call("fd_pwrite", c.open(0, stream), iov, 1, 0,
					out)
			}},
		{"truncate a socket", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("fd_filestat_set_size", c.open(0, stream), 0)
			}},
		{"truncate a directory", wasi.ENOTCAPABLE,
			func(c *caller) wasi.Errno { return c.call("fd_filestat_set_size", dir, 0) }},
		{"truncate stdin", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("fd_filestat_set_size", stdin, 0) }},
		{"seek stdin", wasi.ENOTCAPABLE,
			func(c *caller) wasi.Errno { return c.call("fd_seek", stdin, 0, 0, out) }},
		{"seek before the beginning", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("fd_seek", c.openFile(), math.MaxUint64, 0,
					out)
			}},
		{"seek from nowhere", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("fd_seek", c.openFile(), 0, 3, out) }},
		{"path of a file", wasi.ENOTDIR, func(c *caller) wasi.Errno {
			return c.call("path_unlink_file", c.openFile(), path, pathLen)
		}},
		{"list a file", wasi.ENOTDIR,
			func(c *caller) wasi.Errno {
				return c.call("fd_readdir", c.openFile(), out, 64, 0,
					out2)
			}},
		{"name of what is not preopened", wasi.EBADF,
			func(c *caller) wasi.Errno { return c.call("fd_prestat_get", stdin, out) }},
		{"name into too little", wasi.ENAMETOOLONG,
			func(c *caller) wasi.Errno { return c.call("fd_prestat_dir_name", dir, out, 0) }},
		{"both times", wasi.EINVAL,
			func(c *caller) wasi.Errno {
				return c.call("fd_filestat_set_times", c.openFile(), 0, 0,
					3)
			}},
		{"advice 9", wasi.EINVAL,
			func(c *caller) wasi.Errno { return c.call("fd_advise", c.openFile(), 0, 0, 9) }},
		{"escape", wasi.ENOTCAPABLE, func(c *caller) wasi.Errno {
			c.putPath(path, "../..")
			return c.call("path_open", dir, 1, path, 5, 0, 2, 0, 0, out)
		}},
		{"renumber over nothing", wasi.EBADF,
			func(c *caller) wasi.Errno { return c.call("fd_renumber", c.openFile(), closed) }},
	}
}

func TestErrnoOfWrongCall(t *testing.T) {
	for _, test := range wrongCalls() {
		t.Run(test.name, func(t *testing.T) {
			if got := test.do(newNetCaller(t)); got != test.want {
				t.Errorf("%v (%d), want %v (%d)", got, uint16(got), test.want, uint16(test.want))
			}
		})
	}
}

// TestArgumentBeyondItsType passes numbers that would be valid by their lower bits alone.
func TestArgumentBeyondItsType(t *testing.T) {
	for _, test := range []struct {
		name   string
		change int // the argument that is changed
		bit    uint64
	}{
		{"fd_advise", 3, 1 << 8},
		{"fd_fdstat_set_flags", 1, 1 << 16},
		{"fd_filestat_set_times", 3, 1 << 16},
		{"fd_seek", 2, 1 << 8},
		{"path_filestat_set_times", 6, 1 << 16},
		{"path_open", 4, 1 << 16},
		{"path_open", 7, 1 << 16},
		{"sock_accept", 1, 1 << 16},
		{"sock_recv", 3, 1 << 16},
		{"sock_recv_from", 3, 1 << 16},
		{"sock_recv_msg", 3, 1 << 16},
		{"sock_recv_control", 3, 1 << 16},
		{"sock_send_msg", 3, 1 << 16},
		{"sock_shutdown", 1, 1 << 8},
		{"sock_set_ip_ttl", 1, 1 << 8},
		{"sock_set_ip_multicast_ttl", 1, 1 << 8},
	} {
		t.Run(fmt.Sprint(test.name, " ", test.change), func(t *testing.T) {
			i := slices.IndexFunc(goodCalls, func(g goodCall) bool { return g.name == test.name })
			c := newNetCaller(t)
			args := goodCalls[i].args(c)
			args[test.change] |= test.bit
			if got := c.call(test.name, args...); got != wasi.EINVAL {
				t.Fatalf("got %v, want %v", got, wasi.EINVAL)
			}
			args[test.change] &^= test.bit
			c.must(test.name, args...)
		})
	}
	c := newNetCaller(t)
	fd := c.open(0, stream)
	c.must("sock_set_keep_alive", fd, 1<<8)
	c.must("sock_get_keep_alive", fd, out)
	if got := c.memory()[out]; got != 1 {
		t.Errorf("got %d for a flag that was set to 256, want 1", got)
	}
}

// resolve calls sock_addr_resolve with hints and a capacity.
func (c *caller) resolve(host, service string, enabled byte, family, typ,
	capacity uint64) wasi.Errno {
	m := c.memory()
	copy(m[path:], host+"\x00")
	copy(m[path2:], service+"\x00")
	binary.LittleEndian.PutUint32(m[at:], uint32(typ))
	binary.LittleEndian.PutUint32(m[at+4:], uint32(family))
	m[at+8], m[at+9] = enabled, 0xff
	return c.call("sock_addr_resolve", path, path2, at, out, capacity, out2)
}

func TestProcExitEndsGuest(t *testing.T) {
	c := newCaller(t, system.Config{})
	_, err := c.mod.ExportedFunction("proc_exit").Call(c.ctx, 42)
	if err == nil {
		t.Fatal("got proc_exit to return, want the guest ended")
	}
	exit, ok := c.guest.Err().(*system.Exit)
	if !ok || exit.Code != 42 {
		t.Errorf("got end reason %v, want exit status", c.guest.Err())
	}
}

// TestSeekRightImpliesTell checks fd_tell with each of the rights alone.
func TestSeekRightImpliesTell(t *testing.T) {
	for _, test := range []struct {
		right wasi.Rights
		want  wasi.Errno
	}{{wasi.RightFdTell, wasi.Success}, {wasi.RightFdSeek, wasi.Success}, {wasi.RightFdRead,
		wasi.ENOTCAPABLE}} {
		c := newNetCaller(t)
		fd := c.openFile()
		c.must("fd_fdstat_set_rights", fd, uint64(test.right), 0)
		if e := c.call("fd_tell", fd, out); e != test.want {
			t.Errorf("right %#x: got %v, want %v", test.right, e, test.want)
		}
	}
}
