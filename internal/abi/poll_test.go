package abi_test

import (
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/wasi"
)

// clockFor encodes a subscription to a clock.
func clockFor(userdata uint64, id uint32, timeout uint64, flags byte) []byte {
	b := make([]byte, wasi.SizeSubscription)
	binary.LittleEndian.PutUint64(b, userdata)
	binary.LittleEndian.PutUint32(b[16:], id)
	binary.LittleEndian.PutUint64(b[24:], timeout)
	b[40] = flags
	return b
}

// fdFor encodes a subscription to a descriptor.
func fdFor(userdata uint64, kind byte, fd uint64) []byte {
	b := make([]byte, wasi.SizeSubscription)
	binary.LittleEndian.PutUint64(b, userdata)
	b[8] = kind
	binary.LittleEndian.PutUint32(b[16:], uint32(fd))
	return b
}

func readable(userdata, fd uint64) []byte { return fdFor(userdata, wasi.EventFdRead, fd) }
func writable(userdata, fd uint64) []byte { return fdFor(userdata, wasi.EventFdWrite, fd) }

// poll calls poll_oneoff. If that does not return, it kills the guest.
func (c *caller) poll(subscriptions ...[]byte) []wasi.Event {
	c.t.Helper()
	m := c.memory()
	for i, s := range subscriptions {
		copy(m[at+i*wasi.SizeSubscription:], s)
	}
	late := time.AfterFunc(20*time.Second,
		func() { c.guest.Kill(errors.New("poll_oneoff does not return")) })
	defer late.Stop()
	const count = out3 + 1024
	c.must("poll_oneoff", at, out, uint64(len(subscriptions)), count)
	events := make([]wasi.Event, c.u32(count))
	for i := range events {
		events[i] = wasi.GetEvent(m[out+i*wasi.SizeEvent:])
	}
	return events
}

// TestPollOfClocks polls clocks: relative and absolute, one and several, alone and with
// descriptors.
func TestPollOfClocks(t *testing.T) {
	c := newNetCaller(t)
	_, quiet, _, _ := c.datagrams(0)
	const soon, far, abs = 3e6, 3600e9, wasi.SubclockAbstime
	in := func(clock uint64, ns uint64) uint64 {
		c.must("clock_time_get", clock, 0, out)
		return binary.LittleEndian.Uint64(c.memory()[out:]) + ns
	}
	for _, test := range []struct {
		name  string
		waits bool
		want  wasi.Event
		make  func() [][]byte
	}{
		{"relative", true, wasi.Event{Userdata: 1}, func() [][]byte {
			return [][]byte{clockFor(1, wasi.ClockMonotonic, soon, 0)}
		}},
		{"absolute, monotonic", false, wasi.Event{Userdata: 2}, func() [][]byte {
			return [][]byte{clockFor(2, wasi.ClockMonotonic, in(wasi.ClockMonotonic, soon), abs)}
		}},
		{"absolute, real time", false, wasi.Event{Userdata: 3}, func() [][]byte {
			return [][]byte{clockFor(3, wasi.ClockRealtime, in(wasi.ClockRealtime, soon), abs)}
		}},
		{"absolute, over", false, wasi.Event{Userdata: 4}, func() [][]byte {
			return [][]byte{clockFor(4, wasi.ClockRealtime, 1, abs)}
		}},
		{"the earlier of two", true, wasi.Event{Userdata: 6}, func() [][]byte {
			return [][]byte{clockFor(5, wasi.ClockMonotonic, far, 0),
				clockFor(6, wasi.ClockRealtime, soon, 0)}
		}},
		{"beside a descriptor", false, wasi.Event{Userdata: 8}, func() [][]byte {
			return [][]byte{readable(7, quiet),
				clockFor(8, wasi.ClockMonotonic, in(wasi.ClockMonotonic, soon), abs)}
		}},
		{"unknown", false, wasi.Event{Userdata: 9, Error: wasi.EINVAL}, func() [][]byte {
			return [][]byte{clockFor(9, 9, 0, 0)}
		}},
		{"unknown, absolute", false, wasi.Event{Userdata: 10, Error: wasi.EINVAL}, func() [][]byte {
			return [][]byte{clockFor(10, 4, 0, abs)}
		}},
		{"unknown, beside another", false, wasi.Event{Userdata: 12, Error: wasi.EINVAL},
			func() [][]byte {
				return [][]byte{clockFor(11, wasi.ClockMonotonic, far, 0), clockFor(12, 5, far, 0)}
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 2 { // the second relative one equals the thread's last call
				subscriptions := test.make()
				begin := time.Now()
				got := c.poll(subscriptions...)
				if len(got) != 1 || got[0] != test.want {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
				if took := time.Since(begin); test.waits && took < soon {
					t.Errorf("got %v, want at least %v", took, time.Duration(soon))
				}
			}
		})
	}
}

func TestPollOfSockets(t *testing.T) {
	c := newNetCaller(t)
	check := func(name string, want wasi.Event, subscriptions ...[]byte) {
		t.Helper()
		if got := c.poll(subscriptions...); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	check("not open", wasi.Event{Userdata: 1, Type: wasi.EventFdRead, Error: wasi.EBADF},
		readable(1, closed))
	a, b := c.pair(0)
	check("room", wasi.Event{Userdata: 3, Type: wasi.EventFdWrite}, readable(2, b), writable(3, b))
	c.must("sock_send", a, iov, 1, 0, out)
	check("data", wasi.Event{Userdata: 4, Type: wasi.EventFdRead, Nbytes: dataLen}, readable(4, b))
	c.must("sock_recv", b, iov, 1, 0, out, out2)
	c.must("sock_shutdown", a, 2)
	check("the end", wasi.Event{Userdata: 5, Type: wasi.EventFdRead}, readable(5, b))
	c.must("fd_fdstat_set_rights", b, uint64(wasi.RightFdRead), 0)
	check("no right", wasi.Event{Userdata: 6, Type: wasi.EventFdRead, Error: wasi.ENOTCAPABLE},
		readable(6, b))

	l, addr := c.listener(0)
	c.must("sock_connect", c.open(0, stream), c.putAddr(addr))
	check("a client", wasi.Event{Userdata: 7, Type: wasi.EventFdRead}, readable(7, l))

	// The error of a refused connection is reported by every poll, and cleared by the next other
	// call.
	c.must("fd_close", l)
	fd := c.open(0, stream)
	c.must("fd_fdstat_set_flags", fd, uint64(wasi.FdflagNonblock))
	if e := c.call("sock_connect", fd, c.putAddr(addr)); e != wasi.EINPROGRESS {
		t.Fatalf("sock_connect: got %v, want %v", e, wasi.EINPROGRESS)
	}
	for range 3 {
		if got := c.poll(writable(8, fd)); len(got) != 1 || got[0].Userdata != 8 ||
			got[0].Error != wasi.ECONNREFUSED {
			t.Errorf("got %+v, want %v", got, wasi.ECONNREFUSED)
		}
	}
	if e := c.call("sock_connect", fd, c.putAddr(addr)); e != wasi.ECONNREFUSED {
		t.Errorf("next sock_connect: got %v, want %v", e, wasi.ECONNREFUSED)
	}
}

// TestPollAfterReadOfOther polls a socket, blocks in a read of stdin, and polls the socket again:
// the thread's set must be registered anew.
func TestPollAfterReadOfOther(t *testing.T) {
	r, w := io.Pipe()
	config := netConfig(t)
	config.Stdin = r
	c := newCaller(t, config).withBuffer()
	a, b, _, addr := c.datagrams(0)
	c.must("sock_send_to", a, iov, 1, 0, c.putAddr(addr), out)
	for range 2 {
		if got := c.poll(readable(1, b)); len(got) != 1 || got[0].Userdata != 1 ||
			got[0].Nbytes != dataLen {
			t.Errorf("got %+v, want %d readable bytes", got, dataLen)
		}
		go w.Write([]byte("input"))
		c.must("fd_read", stdin, iov, 1, out)
	}
}
