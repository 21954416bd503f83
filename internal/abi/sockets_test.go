package abi_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// elsewhere is an address that the policy denies.
var elsewhere = netip.MustParseAddrPort("192.0.2.1:9")

// put writes text to data and its length to the iovec.
func (c *caller) put(text string) {
	m := c.memory()
	copy(m[data:], text)
	binary.LittleEndian.PutUint32(m[iov:], data)
	binary.LittleEndian.PutUint32(m[iov+4:], uint32(len(text)))
}

// recv receives at most that many bytes.
func (c *caller) recv(fd uint64, most uint32, flags uint64) (text string, roflags uint16) {
	c.t.Helper()
	m := c.memory()
	binary.LittleEndian.PutUint32(m[iov:], data)
	binary.LittleEndian.PutUint32(m[iov+4:], most)
	binary.LittleEndian.PutUint16(m[out2:], 0xffff)
	c.must("sock_recv", fd, iov, 1, flags, out, out2)
	return string(m[data : data+c.u32(out)]), binary.LittleEndian.Uint16(m[out2:])
}

// TestOptionWidths checks how many bytes each sock_get_* writes.
func TestOptionWidths(t *testing.T) {
	width := func(name string) int {
		switch {
		case strings.Contains(name, "timeout"):
			return 8
		case strings.Contains(name, "buf_size"), strings.Contains(name, "keep_"):
			return 4
		}
		return 1
	}
	for _, call := range goodCalls {
		if !strings.HasPrefix(call.name, "sock_get_") || call.name == "sock_get_option" ||
			call.name == "sock_get_linger" {
			continue
		}
		c := newNetCaller(t)
		a := call.args(c)
		m := c.memory()
		for i := range m[out : out+32] {
			m[out+i] = 0xaa
		}
		c.must(call.name, a...)
		if w := width(call.name); bytes.Count(m[out:out+32], []byte{0xaa}) < 32-w ||
			!bytes.Equal(m[out+w:out+32], bytes.Repeat([]byte{0xaa}, 32-w)) {
			t.Errorf("%s: got % x, want %d bytes written", call.name, m[out:out+32], w)
		}
		if strings.HasSuffix(call.name, "keep_alive") && m[out] > 1 {
			t.Errorf("%s: got %d, want 0 or 1", call.name, m[out])
		}
	}
}

func TestAcceptFlags(t *testing.T) {
	c := newNetCaller(t)
	l, addr := c.listener(0)
	// Accepted sockets do not inherit it.
	c.must("fd_fdstat_set_flags", l, uint64(wasi.FdflagNonblock))
	for _, flags := range []wasi.Fdflags{0, wasi.FdflagNonblock} {
		c.must("sock_connect", c.open(0, stream), c.putAddr(addr))
		c.must("sock_accept", l, uint64(flags), out)
		fd := c.u32(out)
		if s := c.fdstat(fd); s.Flags != flags {
			t.Errorf("accepted with flags %d: got flags %d, want the same", flags, s.Flags)
		}
		if flags != 0 {
			if e := c.call("sock_recv", fd, iov, 1, 0, out, out2); e != wasi.EAGAIN {
				t.Errorf("sock_recv: got %v, want %v", e, wasi.EAGAIN)
			}
		}
	}
}

func (c *caller) fdstat(fd uint64) wasi.Fdstat {
	c.t.Helper()
	c.must("fd_fdstat_get", fd, out)
	b := c.memory()[out:]
	return wasi.Fdstat{
		Type: wasi.Filetype(b[0]), Flags: wasi.Fdflags(binary.LittleEndian.Uint16(b[2:])),
		Base:       wasi.Rights(binary.LittleEndian.Uint64(b[8:])),
		Inheriting: wasi.Rights(binary.LittleEndian.Uint64(b[16:])),
	}
}

func TestReceiveFlags(t *testing.T) {
	c := newNetCaller(t)
	a, b, _, addr := c.datagrams(0)
	for _, text := range []string{"0123456789", "next"} {
		c.put(text)
		c.must("sock_send_to", a, iov, 1, 0, c.putAddr(addr), out)
	}
	for _, want := range []struct {
		most    uint32
		flags   uint64
		text    string
		roflags uint16
	}{
		{4, wasi.RiflagPeek, "0123", wasi.RoflagDataTruncated},
		{64, wasi.RiflagPeek, "0123456789", 0},
		{4, 0, "0123", wasi.RoflagDataTruncated},
		{64, 0, "next", 0},
	} {
		if text, roflags := c.recv(b, want.most, want.flags); text != want.text ||
			roflags != want.roflags {
			t.Errorf("%d bytes with flags %d: got %q, flags %d, want %q, flags %d", want.most,
				want.flags, text, roflags, want.text, want.roflags)
		}
	}

	x, y := c.pair(0)
	for _, text := range []string{"one", "two"} {
		c.put(text)
		c.must("sock_send", x, iov, 1, 0, out)
	}
	if text, roflags := c.recv(y, 6, wasi.RiflagWaitall); text != "onetwo" || roflags != 0 {
		t.Errorf("got %q, flags %d, want onetwo, flags 0", text, roflags)
	}
}

func TestSourceOfStream(t *testing.T) {
	c := newNetCaller(t)
	a, b := c.pair(0)
	c.must("sock_addr_local", a, out)
	want := c.getAddr(out)
	m := c.memory()
	before := slices.Clone(m[:64])
	for _, src := range []uint64{out3, 0} {
		c.put("text")
		c.must("sock_send", a, iov, 1, 0, out)
		c.must("sock_recv_from", b, iov, 1, 0, src, out)
		if got := c.getAddr(out3); got != want {
			t.Errorf("got source %v, want %v", got, want)
		}
	}
	if !bytes.Equal(before, m[:64]) {
		t.Error("source pointer 0: got memory at 0 changed, want it unchanged")
	}
}

func TestSendOfEmptyBuffers(t *testing.T) {
	c := newNetCaller(t)
	a, b := c.pair(0)
	c.put("")
	c.must("sock_send", a, iov, 1, 0, out)
	c.must("sock_send", a, iov, 0, 0, out)
	c.must("sock_recv", b, iov, 0, 0, out, out2)
	c.put("text")
	c.must("sock_send", a, iov, 1, 0, out)
	if text, _ := c.recv(b, 64, 0); text != "text" {
		t.Errorf("got %q, want text", text)
	}

	// An empty datagram, then one of several iovecs.
	x, y, _, addr := c.datagrams(0)
	c.put("")
	c.must("sock_send_to", x, iov, 1, 0, c.putAddr(addr), out)
	c.put("abcdef")
	m := c.memory()
	for i, piece := range [][2]uint32{{data, 2}, {data + 2, 0}, {data + 2, 4}} {
		binary.LittleEndian.PutUint32(m[iov+8*i:], piece[0])
		binary.LittleEndian.PutUint32(m[iov+8*i+4:], piece[1])
	}
	c.must("sock_send_to", x, iov, 3, 0, at, out)
	for _, want := range []string{"", "abcdef"} {
		if text, _ := c.recv(y, 64, 0); text != want {
			t.Errorf("got %q, want %q", text, want)
		}
	}
}

func TestSendToOnStreamIgnoresAddress(t *testing.T) {
	c := newNetCaller(t)
	a, b := c.pair(0)
	c.put("text")
	c.must("sock_send_to", a, iov, 1, 0, c.putAddr(elsewhere), out)
	if text, _ := c.recv(b, 64, 0); text != "text" {
		t.Errorf("got %q, want text", text)
	}
}

func TestSockCloseClosesDescriptor(t *testing.T) {
	c := newNetCaller(t)
	fd := c.open(0, stream)
	c.must("sock_close", fd)
	if e := c.call("sock_addr_local", fd, out); e != wasi.EBADF {
		t.Errorf("after sock_close: got %v, want %v", e, wasi.EBADF)
	}
}

func TestBindLeavesLinger(t *testing.T) {
	c := newNetCaller(t)
	l, _ := c.listener(0)
	c.memory()[out] = 1
	c.must("sock_get_linger", l, out, out2)
	if on := c.memory()[out]; on != 0 {
		t.Errorf("got linger %d, want 0", on)
	}
}

func TestNewDescriptorIsLowestFree(t *testing.T) {
	c := newNetCaller(t)
	l, addr := c.listener(0)
	first := l + 1
	for i := range uint64(4) {
		if fd := c.open(0, stream); fd != first+i {
			t.Errorf("sock_open: got descriptor %d, want %d", fd, first+i)
		}
	}
	c.must("sock_connect", first+3, c.putAddr(addr))
	c.must("fd_close", first+1)
	c.must("fd_close", first)
	c.must("sock_accept", l, 0, out)
	if fd := c.u32(out); fd != first {
		t.Errorf("sock_accept: got descriptor %d, want %d", fd, first)
	}
	if fd := c.openFile(); fd != first+1 {
		t.Errorf("path_open: got descriptor %d, want %d", fd, first+1)
	}
}

func TestSocketRights(t *testing.T) {
	c := newNetCaller(t)
	const base, inheriting = 0x3ff820004a, 0x3fffffffff // the values that WAMR reports
	l, addr := c.listener(0)
	narrow := c.open(0, stream)
	for fd, typ := range map[uint64]wasi.Filetype{l: wasi.FiletypeSocketStream,
		c.open(inet6, datagram): wasi.FiletypeSocketDgram} {
		want := wasi.Fdstat{Type: typ, Base: base, Inheriting: inheriting}
		if got := c.fdstat(fd); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	c.must("fd_fdstat_set_rights", l, 0, 0)
	c.must("sock_connect", narrow, c.putAddr(addr))
	c.must("sock_accept", l, 0, out) // no socket call checks rights
	if s := c.fdstat(c.u32(out)); s.Base != base {
		t.Errorf("sock_accept: got rights %#x, want %#x", s.Base, uint64(base))
	}
	c.must("fd_fdstat_set_rights", narrow, 0, 0)
	c.must("sock_send", narrow, iov, 1, 0, out)
	if e := c.call("fd_write", narrow, iov, 1, out); e != wasi.ENOTCAPABLE {
		t.Errorf("fd_write without the right: got %v, want %v", e, wasi.ENOTCAPABLE)
	}
	if e := c.call("fd_fdstat_set_rights", narrow, uint64(wasi.RightFdWrite),
		0); e != wasi.ENOTCAPABLE {
		t.Errorf("adding a right: got %v, want %v", e, wasi.ENOTCAPABLE)
	}
}

func TestUnstableHasSameFunctions(t *testing.T) {
	all := abi.Functions()
	if !slices.Equal(all["wasi_unstable"], all["wasi_snapshot_preview1"]) {
		t.Error("got other functions in wasi_unstable, want those of wasi_snapshot_preview1")
	}
	c := newNetCaller(t)
	c.must("unstable:sock_open", minusOne, 0, stream, out)
	c.must("unstable:fd_close", c.u32(out))
}

type resolved struct {
	addr string
	typ  int32
}

// resolvedAt decodes the results of sock_addr_resolve.
func (c *caller) resolvedAt(n int) (list []resolved) {
	for i := range n {
		b := c.memory()[out+i*wasi.SizeAddrInfo:]
		a, _ := wasi.GetAddr(b)
		list = append(list, resolved{a.String(),
			int32(binary.LittleEndian.Uint32(b[wasi.SizeAddr:]))})
	}
	return list
}

func TestResolveIntoCapacity(t *testing.T) {
	const anyType = minusOne
	for _, test := range []struct {
		host, service string
		enabled       byte
		family, typ   uint64
		want          []resolved
	}{
		{"allowed.test", "80", 0, 7, 7,
			[]resolved{{"127.0.0.1:80", stream}, {"127.0.0.1:80", datagram}, {"[::1]:80", stream},
				{"[::1]:80", datagram}}},
		{"Allowed.Test.", "", 1, wasi.AddressFamilyUnspec, stream,
			[]resolved{{"127.0.0.1:0", stream}, {"[::1]:0", stream}}},
		{"allowed.test", "", 1, inet6, anyType,
			[]resolved{{"[::1]:0", stream}, {"[::1]:0", datagram}}},
		{"allowed.test", "", 1, wasi.AddressFamilyInet4, datagram,
			[]resolved{{"127.0.0.1:0", datagram}}},
		{"192.0.2.1", "65535", 1, wasi.AddressFamilyUnspec, stream,
			[]resolved{{"192.0.2.1:65535", stream}}},
		{"2001:db8::1", "", 1, inet6, datagram, []resolved{{"[2001:db8::1]:0", datagram}}},
	} {
		for _, capacity := range []int{8, 1, 0} {
			t.Run(fmt.Sprintf("%s %s into %d", test.host, test.service, capacity),
				func(t *testing.T) {
					c := newNetCaller(t)
					m := c.memory()
					if e := c.resolve(test.host, test.service, test.enabled, test.family, test.typ,
						uint64(capacity)); e != wasi.Success {
						t.Fatalf("got %v, want success", e)
					}
					if n := int(c.u32(out2)); n != len(test.want) {
						t.Errorf("got count %d, want %d", n, len(test.want))
					}
					n := min(capacity, len(test.want))
					if got := c.resolvedAt(n); !slices.Equal(got, test.want[:n]) {
						t.Errorf("got %v, want %v", got, test.want[:n])
					}
					rest := m[out+n*wasi.SizeAddrInfo : out+8*wasi.SizeAddrInfo]
					if !bytes.Equal(rest, make([]byte, len(rest))) {
						t.Errorf("got bytes after %d entries, want none", n)
					}
				})
		}
	}

	// An address needs no network, and a failed call does not write the count.
	c := newCaller(t, system.Config{})
	if e := c.resolve("192.0.2.1", "", 0, 0, 0, 4); e != wasi.Success {
		t.Errorf("an address: got %v, want success", e)
	}
	binary.LittleEndian.PutUint32(c.memory()[out2:], 77)
	if e := c.resolve("allowed.test", "", 0, 0, 0, 4); e != wasi.EACCES || c.u32(out2) != 77 {
		t.Errorf("a name: got %v, count %d, want %v, count 77", e, c.u32(out2), wasi.EACCES)
	}
}

// TestAddrPoolPermissions checks the rules that an address pool of iwasm's --addr-pool stands for.
func TestAddrPoolPermissions(t *testing.T) {
	pooled := func(pool string) *caller {
		rules, _, err := policy.AddrPool(pool, policy.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		return newCaller(t, system.Config{
			Network: guard.New(kernel.New(kernel.Config{}), policy.New(rules, policy.Limits{}),
				guard.Options{}),
		}).withBuffer()
	}
	expect := func(name string, got, want wasi.Errno) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	c := pooled("127.0.0.1/32")
	a, b := c.pair(0) // bind, listen, connect and accept, at any port
	c.must("sock_send", a, iov, 1, 0, out)
	c.must("sock_recv", b, iov, 1, 0, out, out2)
	expect("bind beside the pool",
		c.call("sock_bind", c.open(0, stream),
			c.putAddr(netip.MustParseAddrPort("127.0.0.2:0"))), wasi.EACCES)
	expect("implicit listen", c.call("sock_listen", c.open(0, stream), 5), wasi.EACCES)

	// An address pool does not restrict peers: 127.0.0.2 is not in it and may connect.
	l, addr := c.listener(0)
	k := kernel.New(kernel.Config{})
	client, err := k.Open(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Bind(netip.MustParseAddrPort("127.0.0.2:0")); err == nil {
		client.Connect(addr)
		c.must("sock_accept", l, 0, out)
	}

	c = pooled("0.0.0.0/15")
	expect("implicit listen in a pool of all", c.call("sock_listen", c.open(0, stream), 5),
		wasi.Success)
	c = pooled("::/0")
	mapped := c.putAddr(netip.MustParseAddrPort("[::ffff:127.0.0.1]:9"))
	expect("a mapped address", c.call("sock_connect", c.open(inet6, stream), mapped), wasi.EACCES)
	expect("a mapped address, datagram",
		c.call("sock_send_to", c.open(inet6, datagram), iov, 1, 0, mapped, out), wasi.EACCES)
}

// TestCloseWakesBlockedCall closes the descriptor that another thread of the guest is blocked on.
func TestCloseWakesBlockedCall(t *testing.T) {
	for _, test := range []struct {
		name string
		call func(c *caller) (fd uint64, call string, args []uint64)
	}{
		{"recv", func(c *caller) (uint64, string, []uint64) {
			a, _ := c.pair(0)
			return a, "sock_recv", []uint64{a, iov, 1, 0, out, out2}
		}},
		{"recv_from", func(c *caller) (uint64, string, []uint64) {
			a, _, _, _ := c.datagrams(0)
			return a, "sock_recv_from", []uint64{a, iov, 1, 0, 0, out}
		}},
		{"read", func(c *caller) (uint64, string, []uint64) {
			a, _ := c.pair(0)
			return a, "fd_read", []uint64{a, iov, 1, out}
		}},
		{"accept", func(c *caller) (uint64, string, []uint64) {
			l, _ := c.listener(0)
			return l, "sock_accept", []uint64{l, 0, out}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newNetCaller(t)
			other := c.another()
			fd, call, args := test.call(c)
			done := make(chan wasi.Errno)
			go func() { done <- other.withBuffer().call(call, args...) }()
			for range 1000 { // the result is the same if the call begins after fd_close
				runtime.Gosched()
			}
			c.must("fd_close", fd)
			select {
			case e := <-done:
				if e != wasi.EBADF {
					t.Errorf("got %v, want %v", e, wasi.EBADF)
				}
			case <-time.After(10 * time.Second):
				t.Error("got a call that is blocked, want it to return")
			}
		})
	}
}

// TestReceiveAfterShutdownOfDatagrams shuts datagram sockets down for reading. Queued datagrams are
// still received; then calls return 0 bytes, also blocked ones.
func TestReceiveAfterShutdownOfDatagrams(t *testing.T) {
	for _, connected := range []bool{false, true} {
		c := newNetCaller(t)
		a, b, addrA, addrB := c.datagrams(0)
		want := wasi.ENOTCONN // Linux returns it and shuts the socket down
		if connected {
			c.must("sock_connect", b, c.putAddr(addrA))
			want = wasi.Success
		}
		c.put("last")
		c.must("sock_send_to", a, iov, 1, 0, c.putAddr(addrB), out)
		other := c.another().withBuffer()
		// Waits until the datagram has arrived.
		other.must("sock_recv", b, iov, 1, wasi.RiflagPeek, out, out2)
		if e := c.call("sock_shutdown", b, 1); e != want && e != wasi.Success {
			t.Fatalf("sock_shutdown: got %v, want %v", e, want)
		}
		if text, _ := c.recv(b, 64, 0); text != "last" {
			t.Errorf("got %q, want last", text)
		}
		if text, _ := c.recv(b, 64, 0); text != "" {
			t.Errorf("no datagram left: got %q, want an empty result", text)
		}
		c.must("fd_fdstat_set_flags", b, uint64(wasi.FdflagNonblock))
		if e := c.call("sock_recv", b, iov, 1, 0, out, out2); e != wasi.EAGAIN {
			t.Errorf("non-blocking: got %v, want %v", e, wasi.EAGAIN)
		}

		done := make(chan wasi.Errno)
		go func() { done <- other.call("sock_recv_from", a, iov, 1, 0, 0, out) }()
		for range 1000 { // the result is the same if the call begins after sock_shutdown
			runtime.Gosched()
		}
		c.call("sock_shutdown", a, 1)
		select {
		case e := <-done:
			if n := other.u32(out); e != wasi.Success || n != 0 {
				t.Errorf("blocked call: got %v, %d bytes, want success, 0 bytes", e, n)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("got a call that is blocked, want shutdown to wake it")
		}
	}
}
