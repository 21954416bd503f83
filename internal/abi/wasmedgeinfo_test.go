package abi_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

// edgeInfo has the arguments of sock_getaddrinfo.
type edgeInfo struct {
	node, service string
	flags         uint16
	family, typ   byte
	protocol      byte
}

func (c *caller) edgeLookup(q edgeInfo, list uint64, most uint64) wasi.Errno {
	m := c.memory()
	copy(m[path:], q.node)
	copy(m[path2:], q.service)
	clear(m[at : at+wasi.SizeEdgeAddrInfo])
	binary.LittleEndian.PutUint16(m[at:], q.flags)
	m[at+2], m[at+3], m[at+4] = q.family, q.typ, q.protocol
	return c.call("sock_getaddrinfo", path, uint64(len(q.node)), path2, uint64(len(q.service)), at,
		list,
		most, out)
}

// edgeResult is a decoded entry: family, type, protocol and data.
type edgeResult struct {
	family, typ, protocol byte
	data                  string
}

func (c *caller) edgeResult(i int) edgeResult {
	m := c.memory()
	entry, sockaddr := m[edgeEntryPtr(i):], m[edgeSockaddrPtr(i):]
	n := binary.LittleEndian.Uint32(sockaddr[4:])
	if sockaddr[0] != entry[2] {
		c.t.Errorf("entry %d: got family %d in the sockaddr, want %d", i, sockaddr[0], entry[2])
	}
	return edgeResult{entry[2], entry[3], entry[4], string(m[edgeDataPtr(i):][:n])}
}

const (
	edgeData4 = "\x00\x50\x7f\x00\x00\x01"
	edgeData6 = "\x00\x50" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x01"
)

func TestEdgeAddrInfo(t *testing.T) {
	tcp4, tcp6 := edgeResult{1, 2, 1, edgeData4}, edgeResult{2, 2, 1, edgeData6}
	for _, row := range []struct {
		name string
		q    edgeInfo
		want []edgeResult
	}{
		{"both families", edgeInfo{node: "allowed.test", service: "80"}, []edgeResult{tcp4, tcp6}},
		{"counted NULs", edgeInfo{node: "allowed.test\x00", service: "80\x00"},
			[]edgeResult{tcp4, tcp6}},
		{"IPv4", edgeInfo{node: "allowed.test", service: "80", family: 1}, []edgeResult{tcp4}},
		{"IPv6", edgeInfo{node: "allowed.test", service: "80", family: 2}, []edgeResult{tcp6}},
		{"datagrams", edgeInfo{node: "allowed.test", service: "80", family: 1, typ: 1},
			[]edgeResult{{1, 1, 2, edgeData4}}},
		{"UDP alone", edgeInfo{node: "allowed.test", service: "80", family: 1, protocol: 2},
			[]edgeResult{{1, 1, 2, edgeData4}}},
		{"a literal", edgeInfo{node: "::1", service: "80", flags: 4}, []edgeResult{tcp6}},
		{"no host", edgeInfo{service: "80"}, []edgeResult{tcp4, tcp6}},
		{"no host, to bind to", edgeInfo{service: "80", flags: 1, family: 1},
			[]edgeResult{{1, 2, 1, "\x00\x50\x00\x00\x00\x00"}}},
		{"no service", edgeInfo{node: "127.0.0.1"},
			[]edgeResult{{1, 2, 1, "\x00\x00\x7f\x00\x00\x01"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for most := 1; most <= 3; most++ {
				c := newNetCaller(t)
				if e := c.edgeLookup(row.q, c.edgeList(most, 26), uint64(most)); e != wasi.Success {
					t.Fatalf("got %v, want success", e)
				}
				want := row.want[:min(most, len(row.want))]
				var got []edgeResult
				for i := range int(c.u32(out)) {
					got = append(got, c.edgeResult(i))
				}
				if !slices.Equal(got, want) {
					t.Errorf("with room for %d: got %q, want %q", most, got, want)
				}
			}
		})
	}
}

// TestEdgeAddrInfoOfRustCrate gives the length 14 for buffers of 26 bytes, as the crate does, and
// expects to find 14 after the call.
func TestEdgeAddrInfoOfRustCrate(t *testing.T) {
	c := newNetCaller(t)
	if e := c.edgeLookup(edgeInfo{node: "::1", service: "80"}, c.edgeList(1, 14),
		1); e != wasi.Success {
		t.Fatalf("got %v, want success", e)
	}
	m := c.memory()
	if got := binary.LittleEndian.Uint32(m[edgeSockaddrPtr(0)+4:]); got != 14 {
		t.Errorf("got the length %d, want 14 as it was", got)
	}
	if got := string(m[edgeDataPtr(0):][:18]); got != edgeData6 {
		t.Errorf("got % x, want % x", got, edgeData6)
	}
}

func TestEdgeAddrInfoFailures(t *testing.T) {
	good := edgeInfo{node: "allowed.test", service: "80"}
	broken := func(change func(m []byte)) func(c *caller) wasi.Errno {
		return func(c *caller) wasi.Errno {
			list := c.edgeList(2, 26)
			change(c.memory())
			return c.edgeLookup(good, list, 2)
		}
	}
	for _, row := range []struct {
		name string
		want wasi.Errno
		do   func(c *caller) wasi.Errno
	}{
		{"nothing to look up", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.edgeLookup(edgeInfo{}, c.edgeList(1, 26), 1)
		}},
		{"room for none", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.edgeLookup(good, c.edgeList(1, 26), 0)
		}},
		{"more entries than memory", wasi.EFAULT, func(c *caller) wasi.Errno {
			return c.edgeLookup(good, c.edgeList(1, 26), minusOne)
		}},
		{"a name that may not be looked up", wasi.EACCES, func(c *caller) wasi.Errno {
			return c.edgeLookup(edgeInfo{node: "denied.test"}, c.edgeList(1, 26), 1)
		}},
		{"a name with NUMERICHOST", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.edgeLookup(edgeInfo{node: "allowed.test", flags: 4}, c.edgeList(1, 26), 1)
		}},
		{"a service with NUMERICSERV", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.edgeLookup(edgeInfo{node: "::1", service: "http", flags: 8}, c.edgeList(1, 26),
				1)
		}},
		{"family 3", wasi.ENOTSUP, func(c *caller) wasi.Errno {
			return c.edgeLookup(edgeInfo{node: "::1", family: 3}, c.edgeList(1, 26), 1)
		}},
		{"family 4", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.edgeLookup(edgeInfo{node: "::1", family: 4}, c.edgeList(1, 26), 1)
		}},
		{"type 3", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.edgeLookup(edgeInfo{node: "::1", typ: 3}, c.edgeList(1, 26), 1)
		}},
		{"protocol 3", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.edgeLookup(edgeInfo{node: "::1", protocol: 3}, c.edgeList(1, 26), 1)
		}},
		{"a literal of the other family", wasi.EINVAL, func(c *caller) wasi.Errno {
			return c.edgeLookup(edgeInfo{node: "::1", family: 1}, c.edgeList(1, 26), 1)
		}},
		{"a name that is too long", wasi.ENAMETOOLONG, func(c *caller) wasi.Errno {
			copy(c.memory()[data:], strings.Repeat("a", 1026))
			return c.call("sock_getaddrinfo", data, 1026, path2, 0, 0, c.edgeList(1, 26), 1, out)
		}},
		{"too little room for IPv6", wasi.EFAULT, func(c *caller) wasi.Errno {
			return c.edgeLookup(good, c.edgeList(2, 6), 2)
		}},
		{"an entry nowhere", wasi.EFAULT, broken(func(m []byte) {
			binary.LittleEndian.PutUint32(m[edgeEntryPtr(0)+24:], bad)
		})},
		{"a sockaddr nowhere", wasi.EFAULT, broken(func(m []byte) {
			binary.LittleEndian.PutUint32(m[edgeEntryPtr(1)+12:], bad)
		})},
		{"data nowhere", wasi.EFAULT, broken(func(m []byte) {
			binary.LittleEndian.PutUint32(m[edgeSockaddrPtr(1)+8:], bad)
		})},
		{"a circle", wasi.Success, broken(func(m []byte) {
			binary.LittleEndian.PutUint32(m[edgeEntryPtr(0)+24:], edgeEntryPtr(0))
		})},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.do(newNetCaller(t)); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}
