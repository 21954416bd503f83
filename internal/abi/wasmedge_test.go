package abi_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

// edgeBuf is the address of the buffer that the argument at `at` describes.
const edgeBuf = 1280

const (
	edgeStream   = wasi.EdgeTypeStream
	edgeDatagram = wasi.EdgeTypeDgram
)

// edgeArg makes an address argument for a buffer of n bytes.
func (c *caller) edgeArg(n uint32) uint64 {
	m := c.memory()
	binary.LittleEndian.PutUint32(m[at:], edgeBuf)
	binary.LittleEndian.PutUint32(m[at+4:], n)
	return at
}

// edgePut makes an address argument with an address in a buffer of n bytes.
func (c *caller) edgePut(a netip.Addr, n uint32) uint64 {
	c.t.Helper()
	if e := wasi.PutEdgeIP(c.memory()[edgeBuf:edgeBuf+n], a); e != wasi.Success {
		c.t.Fatalf("PutEdgeIP(%v) in %d bytes: got %v, want success", a, n, e)
	}
	return c.edgeArg(n)
}

func (c *caller) edgeOpen(family, typ uint64) uint64 {
	c.t.Helper()
	c.must("sock_open/iii", family, typ, out)
	return c.u32(out)
}

var loopback4 = netip.MustParseAddr("127.0.0.1")

// edgeSocket returns the arguments of a call on a new socket.
func edgeSocket(typ uint64, rest ...uint64) func(*caller) []uint64 {
	return func(c *caller) []uint64 {
		return append([]uint64{c.edgeOpen(wasi.EdgeFamilyInet4, typ)}, rest...)
	}
}

// edgeEntryPtr, edgeSockaddrPtr and edgeDataPtr return the addresses of the parts of entry i in
// edgeList.
func edgeEntryPtr(i int) uint32    { return 16384 + 256*uint32(i) }
func edgeSockaddrPtr(i int) uint32 { return edgeEntryPtr(i) + 64 }
func edgeDataPtr(i int) uint32     { return edgeEntryPtr(i) + 128 }

// edgeList builds a list of n entries with buffers of the given length, and returns a pointer to
// the pointer to the first.
func (c *caller) edgeList(n int, length uint32) uint64 {
	m := c.memory()
	for i := range n {
		entry := m[edgeEntryPtr(i):]
		clear(entry[:256])
		binary.LittleEndian.PutUint32(entry[12:], edgeSockaddrPtr(i))
		if i < n-1 {
			binary.LittleEndian.PutUint32(entry[24:], edgeEntryPtr(i+1))
		}
		binary.LittleEndian.PutUint32(m[edgeSockaddrPtr(i)+4:], length)
		binary.LittleEndian.PutUint32(m[edgeSockaddrPtr(i)+8:], edgeDataPtr(i))
	}
	binary.LittleEndian.PutUint32(m[out3:], edgeEntryPtr(0))
	return out3
}

// edgeCalls are good calls of WasmEdge's functions.
func edgeCalls() []goodCall {
	send := func(c *caller) []uint64 {
		a, _, _, b := c.datagrams(0)
		return []uint64{a, iov, 1, c.edgePut(b.Addr(), 128), uint64(b.Port()), 0, out}
	}
	sent := func(c *caller) uint64 {
		a, b, _, addr := c.datagrams(0)
		c.must("sock_send_to", a, iov, 1, 0, c.putAddr(addr), out)
		return b
	}
	receiveV2 := func(c *caller) []uint64 {
		return []uint64{sent(c), iov, 1, c.edgeArg(128), 0, out2, out, out3}
	}
	bind := func(c *caller) []uint64 {
		return []uint64{c.edgeOpen(1, edgeStream), c.edgePut(loopback4, 4), 0}
	}
	connect := func(c *caller) []uint64 {
		_, a := c.listener(0)
		return []uint64{c.edgeOpen(1, edgeStream), c.edgePut(a.Addr(), 128), uint64(a.Port())}
	}
	accept := func(rest ...uint64) func(c *caller) []uint64 {
		return func(c *caller) []uint64 {
			l, a := c.listener(0)
			c.must("sock_connect", c.open(0, stream), c.putAddr(a))
			return append([]uint64{l}, rest...)
		}
	}
	connected := func(size uint32, rest ...uint64) func(c *caller) []uint64 {
		return func(c *caller) []uint64 {
			a, _ := c.pair(0)
			return append([]uint64{a, c.edgeArg(size)}, rest...)
		}
	}
	return []goodCall{
		{"sock_open/iii", args(1, edgeStream, out), nil, []int{2}, false},
		{"sock_open_v2", args(2, edgeDatagram, out), nil, []int{2}, false},
		{"sock_bind/iii", bind, []int{0}, []int{1}, true},
		{"sock_bind_v2", bind, []int{0}, []int{1}, true},
		{"sock_connect/iii", connect, []int{0}, []int{1}, true},
		{"sock_connect_v2", connect, []int{0}, []int{1}, true},
		{"sock_listen_v2", func(c *caller) []uint64 {
			fd := c.open(0, stream)
			c.must("sock_bind", fd, c.putAddr(loopback(0)))
			return []uint64{fd, 5}
		}, []int{0}, nil, true},
		{"sock_accept/ii", accept(out), []int{0}, []int{1}, true},
		{"sock_accept_v2", accept(0, out), []int{0}, []int{2}, true},
		{"sock_send_to/iiiiiii", send, []int{0}, []int{1, 3, 6}, true},
		{"sock_send_to_v2", send, []int{0}, []int{1, 3, 6}, true},
		{"sock_send_v2", func(c *caller) []uint64 {
			fd, _ := c.pair(0)
			return []uint64{fd, iov, 1, 0, out}
		}, []int{0}, []int{1, 4}, true},
		{"sock_recv_v2", func(c *caller) []uint64 {
			a, b := c.pair(0)
			c.must("sock_send", a, iov, 1, 0, out)
			return []uint64{b, iov, 1, 0, out, out2}
		}, []int{0}, []int{1, 4, 5}, true},
		{"sock_recv_from/iiiiiii", func(c *caller) []uint64 {
			return []uint64{sent(c), iov, 1, c.edgeArg(4), 0, out, out2}
		}, []int{0}, []int{1, 3, 5, 6}, true},
		{"sock_recv_from/iiiiiiii", receiveV2, []int{0}, []int{1, 3, 5, 6, 7}, true},
		{"sock_recv_from_v2", receiveV2, []int{0}, []int{1, 3, 5, 6, 7}, true},
		{"sock_getlocaladdr", connected(4, out, out2), []int{0}, []int{1, 2, 3}, true},
		{"sock_getpeeraddr", connected(16, out, out2), []int{0}, []int{1, 2, 3}, true},
		{"sock_getlocaladdr/iii", connected(128, out), []int{0}, []int{1, 2}, true},
		{"sock_getpeeraddr/iii", connected(128, out), []int{0}, []int{1, 2}, true},
		{"sock_getlocaladdr_v2", connected(128, out), []int{0}, []int{1, 2}, true},
		{"sock_getpeeraddr_v2", connected(128, out), []int{0}, []int{1, 2}, true},
		{"sock_getsockopt", edgeSocket(edgeStream, 0, 0, out, 4), []int{0}, []int{3}, true},
		{"sock_setsockopt", edgeSocket(edgeStream, 0, 0, out, 4), []int{0}, []int{3}, true},
		{"sock_getaddrinfo", func(c *caller) []uint64 {
			copy(c.memory()[path:], "allowed.test")
			copy(c.memory()[path2:], "80")
			clear(c.memory()[at : at+wasi.SizeEdgeAddrInfo])
			return []uint64{path, 12, path2, 2, at, c.edgeList(2, 26), 2, out}
		}, nil, []int{0, 2, 4, 5, 7}, false},
		{"epoll_oneoff", func(c *caller) []uint64 {
			clear(c.memory()[at : at+wasi.SizeSubscription])
			return []uint64{at, out, 1, out2}
		}, nil, []int{0, 1, 3}, false},
	}
}

func TestEdgeAddressBytes(t *testing.T) {
	c := newNetCaller(t)
	for _, family := range []struct {
		name     string
		wamr     uint64
		version  uint64
		storage  string // in a buffer of 128 bytes: family and address
		in, size uint32
	}{
		{"IPv4", wasi.AddressFamilyInet4, 4, "\x01\x00\x7f\x00\x00\x01", 4, 4},
		{"IPv6", inet6, 6, "\x02\x00" + string(netip.IPv6Loopback().AsSlice()), 16, 16},
	} {
		t.Run(family.name, func(t *testing.T) {
			client, _ := c.pair(family.wamr)
			c.must("sock_addr_remote", client, out)
			want := c.getAddr(out)
			m := c.memory()
			for _, call := range []struct {
				name string
				size uint32
				args []uint64
				want string
			}{
				{"sock_getpeeraddr/iii", 128, []uint64{out}, family.storage},
				{"sock_getpeeraddr", family.size, []uint64{out2, out}, family.storage[2:]},
			} {
				copy(m[edgeBuf:], bytes.Repeat([]byte{0xaa}, 128))
				c.must(call.name, append([]uint64{client, c.edgeArg(call.size)}, call.args...)...)
				n := len(call.want)
				if got := string(m[edgeBuf : edgeBuf+n]); got != call.want {
					t.Errorf("%s: got % x, want % x", call.name, got, call.want)
				}
				if rest := m[edgeBuf+n : edgeBuf+128]; len(bytes.Trim(rest, "\xaa")) > 0 {
					t.Errorf("%s: got % x behind the address, want it untouched", call.name, rest)
				}
				if got := c.u32(out); got != uint64(want.Port()) {
					t.Errorf("%s: got port %d, want %d", call.name, got, want.Port())
				}
			}
			if got := c.u32(out2); got != family.version {
				t.Errorf("got kind %d, want %d", got, family.version)
			}
		})
	}
}

// TestEdgeDatagramsOfBothVersions sends with each form of an address, and receives with both
// versions.
func TestEdgeDatagramsOfBothVersions(t *testing.T) {
	c := newNetCaller(t)
	for _, row := range []struct {
		name    string
		family  uint64
		sendLen uint32
		recvLen uint32
	}{
		{"IPv4 in 4 and 4 bytes", 0, 4, 4}, {"IPv4 in 128 and 16 bytes", 0, 128, 16},
		{"IPv6 in 16 and 16 bytes", inet6, 16, 16}, {"IPv6 in 128 and 128 bytes", inet6, 128, 128},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, b, addrA, addrB := c.datagrams(row.family)
			c.put("hello")
			c.must("sock_send_to/iiiiiii", a, iov, 1, c.edgePut(addrB.Addr(), row.sendLen),
				uint64(addrB.Port())|0xff0000, 0, out)
			m := c.memory()
			binary.LittleEndian.PutUint32(m[iov+4:], 4)
			c.must("sock_recv_from/iiiiiiii", b, iov, 1, c.edgeArg(row.recvLen), wasi.RiflagPeek,
				out2, out, out3)
			if got, want := c.u32(out2), uint64(addrA.Port()); got != want {
				t.Errorf("got port %d, want %d in host order", got, want)
			}
			if got := binary.LittleEndian.Uint16(m[out3:]); got != wasi.RoflagDataTruncated {
				t.Errorf("got flags %d, want %d", got, wasi.RoflagDataTruncated)
			}
			clear(m[edgeBuf : edgeBuf+128])
			c.must("sock_recv_from/iiiiiii", b, iov, 1, c.edgeArg(row.recvLen), 0, out, out3)
			got := m[edgeBuf : edgeBuf+row.recvLen]
			if row.recvLen == 16 && addrA.Addr().Is4() {
				got = got[:4]
			}
			if ip, e := wasi.GetEdgeIP(got); ip != addrA.Addr() || e != wasi.Success {
				t.Errorf("got the source %v (%v), want %v", ip, e, addrA.Addr())
			}
			if got := string(m[data : data+4]); got != "hell" {
				t.Errorf("got %q, want %q", got, "hell")
			}
		})
	}
}

func TestEdgeFailures(t *testing.T) {
	const v1, v2 = "sock_getlocaladdr", "sock_getlocaladdr/iii"
	denied := func(c *caller) uint64 { return c.edgePut(elsewhere.Addr(), 4) }
	for _, row := range []struct {
		name string
		want wasi.Errno
		do   func(c *caller) wasi.Errno
	}{
		{"open AF_UNIX", wasi.ENOTSUP, func(c *caller) wasi.Errno {
			return c.call("sock_open/iii", 3, edgeStream, out)
		}},
		{"open family 0", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_open/iii", 0, edgeStream, out)
		}},
		{"open family 257", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_open/iii", 257, edgeStream, out)
		}},
		{"open type 0", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_open/iii", 1, 0, out)
		}},
		{"open type 3", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_open/iii", 1, 3, out)
		}},
		{"bind 5 bytes", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_bind/iii", c.edgeOpen(1, edgeStream), c.edgeArg(5), 0)
		}},
		{"bind a gigantic buffer", wasi.EFAULT, func(c *caller) wasi.Errno {
			return c.call("sock_bind/iii", c.edgeOpen(1, edgeStream), c.edgeArg(minusOne), 0)
		}},
		{"bind family 3", wasi.ENOTSUP, func(c *caller) wasi.Errno {
			arg := c.edgeArg(128)
			c.memory()[edgeBuf] = 3
			return c.call("sock_bind/iii", c.edgeOpen(1, edgeStream), arg, 0)
		}},
		{"bind family 258", wasi.EINVAL, func(c *caller) wasi.Errno {
			arg := c.edgeArg(128)
			copy(c.memory()[edgeBuf:], "\x02\x01")
			return c.call("sock_bind/iii", c.edgeOpen(1, edgeStream), arg, 0)
		}},
		{"bind where it may not", wasi.EACCES, func(c *caller) wasi.Errno {
			return c.call("sock_bind/iii", c.edgeOpen(1, edgeStream), denied(c), 80)
		}},
		{"connect where it may not", wasi.EACCES, func(c *caller) wasi.Errno {
			return c.call("sock_connect/iii", c.edgeOpen(1, edgeStream), denied(c), 80)
		}},
		{"send where it may not", wasi.EACCES, func(c *caller) wasi.Errno {
			return c.call("sock_send_to/iiiiiii", c.edgeOpen(1, edgeDatagram), iov, 1, denied(c), 9,
				0, out)
		}},
		{"a bad address comes before a bad descriptor", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_connect/iii", closed, c.edgeArg(5), 80)
		}},
		{"a flag of sending", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_send_to/iiiiiii", c.edgeOpen(1, edgeDatagram), iov, 1,
				c.edgePut(loopback4, 4), 9, 1, out)
		}},
		{"an unknown flag of receiving", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_recv_from/iiiiiiii", c.edgeOpen(1, edgeDatagram), iov, 1,
				c.edgeArg(128), 4, out, out2, out3)
		}},
		{"an IPv6 source in 4 bytes", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_recv_from/iiiiiii", c.edgeOpen(2, edgeDatagram), iov, 1,
				c.edgeArg(4),
				0, out, out2)
		}},
		{"a local IPv6 address in 4 bytes", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call(v1, c.edgeOpen(2, edgeStream), c.edgeArg(4), out, out2)
		}},
		{"V1 in 128 bytes", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call(v1, c.edgeOpen(1, edgeStream), c.edgeArg(128), out, out2)
		}},
		{"V2 in 16 bytes", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call(v2, c.edgeOpen(1, edgeStream), c.edgeArg(16), out)
		}},
		{"the peer of an unconnected socket", wasi.ENOTCONN, func(c *caller) wasi.Errno {
			return c.call("sock_getpeeraddr/iii", c.edgeOpen(1, edgeStream), c.edgeArg(128), out)
		}},
		{"accept without listening", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.call("sock_accept/ii", c.edgeOpen(1, edgeStream), out)
		}},
		{"shut down both ways of an unconnected socket", wasi.ENOTCONN, func(c *caller) wasi.Errno {
			return c.call("sock_shutdown", c.edgeOpen(1, edgeStream), 3)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.do(newNetCaller(t)); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}
