package abi_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

func int32s(values ...int32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

func int64s(values ...int64) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b
}

func TestEdgeOptionsRoundTrip(t *testing.T) {
	const none = wasi.Errno(0)
	for _, row := range []struct {
		name             string
		level, option    uint64
		typ              uint64
		set              []byte
		wantSet, wantGet wasi.Errno
		want             []byte
	}{
		{"SO_REUSEADDR", 0, 0, edgeStream, int32s(7), none, none, int32s(1)},
		{"SO_REUSEADDR, longer", 0, 0, edgeStream, int32s(1, 9), none, none, int32s(1)},
		{"SO_REUSEADDR, too short", 0, 0, edgeStream, []byte{1, 0, 0}, wasi.EINVAL, none,
			int32s(0)},
		{"SO_TYPE of a stream", 0, 1, edgeStream, int32s(1), wasi.ENOPROTOOPT, none, int32s(2)},
		{"SO_TYPE of datagrams", 0, 1, edgeDatagram, int32s(1), wasi.ENOPROTOOPT, none, int32s(1)},
		{"SO_ERROR", 0, 2, edgeStream, int32s(1), wasi.ENOPROTOOPT, none, int32s(0)},
		{"SO_DONTROUTE", 0, 3, edgeStream, int32s(1), wasi.ENOPROTOOPT, wasi.ENOPROTOOPT, nil},
		{"SO_BROADCAST", 0, 4, edgeDatagram, int32s(1), none, none, int32s(1)},
		{"SO_KEEPALIVE", 0, 7, edgeStream, int32s(-1), none, none, int32s(1)},
		{"SO_OOBINLINE", 0, 8, edgeStream, int32s(0), none, wasi.ENOPROTOOPT, nil},
		{"SO_OOBINLINE on", 0, 8, edgeStream, int32s(1), wasi.ENOPROTOOPT, wasi.ENOPROTOOPT, nil},
		{"SO_LINGER", 0, 9, edgeStream, int32s(1, 5), none, none, int32s(1, 5)},
		{"SO_LINGER off", 0, 9, edgeStream, int32s(0, 5), none, none, int32s(0, 0)},
		{"SO_LINGER negative", 0, 9, edgeStream, int32s(1, -5), wasi.EINVAL, none, int32s(0, 0)},
		{"SO_LINGER too short", 0, 9, edgeStream, int32s(1), wasi.EINVAL, none, int32s(0, 0)},
		{"SO_RCVLOWAT", 0, 10, edgeStream, int32s(1), none, wasi.ENOPROTOOPT, nil},
		{"SO_RCVTIMEO", 0, 11, edgeStream, int64s(2, 500_000), none, none, int64s(2, 500_000)},
		{"SO_RCVTIMEO for ever", 0, 11, edgeStream, int64s(1<<62, 0), none, none, int64s(0, 0)},
		{"SO_RCVTIMEO of too many microseconds", 0, 11, edgeStream, int64s(0, 1_000_000), wasi.EDOM,
			none,
			int64s(0, 0)},
		{"SO_RCVTIMEO negative", 0, 11, edgeStream, int64s(-1, 0), wasi.EDOM, none, int64s(0, 0)},
		{"SO_SNDTIMEO", 0, 12, edgeDatagram, int64s(0, 1), none, none, int64s(0, 1)},
		{"SO_ACCEPTCONN", 0, 13, edgeStream, int32s(1), wasi.ENOPROTOOPT, none, int32s(0)},
		{"SO_BINDTODEVICE", 0, 14, edgeStream, []byte("lo"), wasi.ENOTSUP, wasi.ENOTSUP, nil},
		{"TCP_NODELAY", 6, 15, edgeStream, int32s(1), none, none, int32s(1)},
		{"no such name", 0, 15, edgeStream, int32s(1), wasi.EINVAL, wasi.EINVAL, nil},
		{"no such level", 1, 0, edgeStream, int32s(1), wasi.EINVAL, wasi.EINVAL, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newNetCaller(t)
			m := c.memory()
			fd := c.edgeOpen(1, row.typ)
			copy(m[data:], row.set)
			got := c.call("sock_setsockopt", fd, row.level, row.option, data, uint64(len(row.set)))
			if got != row.wantSet {
				t.Errorf("set: got %v, want %v", got, row.wantSet)
			}
			binary.LittleEndian.PutUint32(m[out2:], 16) // the size, through a pointer
			got = c.call("sock_getsockopt", fd, row.level, row.option, out, out2)
			if got != row.wantGet {
				t.Errorf("get: got %v, want %v", got, row.wantGet)
			}
			if got != wasi.Success {
				return
			}
			if n := c.u32(out2); n != uint64(len(row.want)) {
				t.Errorf("got %d bytes, want %d", n, len(row.want))
			}
			if got := m[out : out+len(row.want)]; string(got) != string(row.want) {
				t.Errorf("got % x, want % x", got, row.want)
			}
		})
	}
}

// TestEdgeOptionSizes reads SO_LINGER, of 8 bytes, with both forms of the fifth argument.
func TestEdgeOptionSizes(t *testing.T) {
	for _, row := range []struct {
		arg, pointed uint64
		want         int
	}{{0, 0, 0}, {2, 0, 2}, {4, 0, 4}, {8, 0, 8}, {1023, 0, 8}, {out2, 3, 3}, {out2, 100, 8}} {
		t.Run(fmt.Sprintf("%d to %d", row.arg, row.pointed), func(t *testing.T) {
			c := newNetCaller(t)
			m := c.memory()
			fd := c.edgeOpen(1, edgeStream)
			for i := range 16 {
				m[out+i] = 0xaa
			}
			binary.LittleEndian.PutUint32(m[out2:], uint32(row.pointed))
			c.must("sock_getsockopt", fd, 0, 9, out, row.arg)
			for i := range 16 {
				if written := m[out+i] != 0xaa; written != (i < row.want) {
					t.Fatalf("byte %d: got %#x, want %d bytes written", i, m[out+i], row.want)
				}
			}
			if row.arg == out2 && c.u32(out2) != uint64(row.want) {
				t.Errorf("got the size %d, want %d", c.u32(out2), row.want)
			}
		})
	}
}

// TestEdgeErrorIsWASI reads the error of a failed connect: a WASI errno, which the call clears.
func TestEdgeErrorIsWASI(t *testing.T) {
	c := newNetCaller(t)
	l, a := c.listener(0)
	c.must("fd_close", l)
	fd := c.edgeOpen(1, edgeStream)
	c.must("fd_fdstat_set_flags", fd, uint64(wasi.FdflagNonblock))
	e := c.call("sock_connect/iii", fd, c.edgePut(a.Addr(), 4), uint64(a.Port()))
	if e == wasi.EINPROGRESS {
		m := c.memory()
		clear(m[at : at+wasi.SizeSubscription])
		m[at+8] = wasi.EventFdWrite
		binary.LittleEndian.PutUint32(m[at+16:], uint32(fd))
		c.must("poll_oneoff", at, out, 1, out2)
		c.must("sock_getsockopt", fd, 0, 2, out, 4)
		e = wasi.Errno(c.u32(out))
	}
	if e != wasi.ECONNREFUSED {
		t.Errorf("got %v, want %v", e, wasi.ECONNREFUSED)
	}
	c.must("sock_getsockopt", fd, 0, 2, out, 4)
	if got := c.u32(out); got != 0 {
		t.Errorf("got %d the second time, want 0", got)
	}
}

// TestEdgeBufferSizesAreTheirOwn sets one buffer's size by WasmEdge's option, and reads it by
// WAMR's function for that buffer.
func TestEdgeBufferSizesAreTheirOwn(t *testing.T) {
	for _, row := range []struct {
		name          string
		option        uint64
		buffer, other string
	}{
		{"SO_SNDBUF", 5, "sock_get_send_buf_size", "sock_get_recv_buf_size"},
		{"SO_RCVBUF", 6, "sock_get_recv_buf_size", "sock_get_send_buf_size"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newNetCaller(t)
			fd := c.edgeOpen(1, edgeDatagram)
			c.must(row.other, fd, out)
			other := c.u32(out)
			copy(c.memory()[data:], int32s(20_000))
			c.must("sock_setsockopt", fd, 0, row.option, data, 4)
			c.must(row.buffer, fd, out)
			want := int32s(int32(c.u32(out)))
			c.must("sock_getsockopt", fd, 0, row.option, out, 4)
			if got := c.memory()[out : out+4]; string(got) != string(want) {
				t.Errorf("got % x, want % x as from %s", got, want, row.buffer)
			}
			c.must(row.other, fd, out)
			if got := c.u32(out); got != other {
				t.Errorf("got %d from %s, want %d as before", got, row.other, other)
			}
		})
	}
}
