package abi_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/wasi"
)

// pollArray is where these tests have an array of struct pollfd.
const pollArray = 32 << 10

// putPollFD stores an entry of such an array, with revents that a call must replace.
func putPollFD(c *caller, array, entry int, fd uint64, events uint16) {
	b := c.memory()[array+8*entry:]
	binary.LittleEndian.PutUint32(b, uint32(fd))
	binary.LittleEndian.PutUint16(b[4:], events)
	binary.LittleEndian.PutUint16(b[6:], 0xffff)
}

// fdPoll calls fd_poll with the array, and returns how many entries it says have revents. If it
// does not return, it kills the guest.
func (c *caller) fdPoll(count int, timeout int64) uint64 {
	c.t.Helper()
	late := time.AfterFunc(20*time.Second,
		func() { c.guest.Kill(errors.New("fd_poll does not return")) })
	defer late.Stop()
	c.must("fd_poll", pollArray, uint64(count), uint64(timeout), out3)
	return c.u32(out3)
}

// polledFD is a descriptor of TestFDPoll, and what holds of it.
type polledFD struct {
	fd       uint64
	writable bool
	queued   int
	// fails is what is reported beside the wanted events, or in place of them if exclusive.
	fails     uint16
	exclusive bool
}

// revents are those of poll(2).
func (p *polledFD) revents(events uint16) (revents uint16) {
	if p.exclusive {
		return p.fails
	}
	if p.queued > 0 || p.fails != 0 {
		revents |= 1
	}
	if p.writable || p.fails != 0 {
		revents |= 2
	}
	return revents&events | p.fails
}

// pollScript polls an array that changes at random, in ways that a program may change it.
type pollScript struct {
	*caller
	*rand.Rand
	fds    []*polledFD
	sender uint64
	array  []int // positions in fds; -1 is a negative descriptor
	events []uint16
}

// step changes the array or its descriptors.
func (s *pollScript) step() string {
	i := s.IntN(len(s.array))
	switch s.IntN(9) {
	case 0, 1:
		return "nothing"
	case 2:
		s.array[i] = s.IntN(len(s.fds)+1) - 1
		return "another descriptor"
	case 3:
		s.events[i] = uint16(s.IntN(4))
		return "other events"
	case 4:
		s.array, s.events = append(s.array, s.IntN(len(s.fds))), append(s.events, 1)
		return "longer"
	case 5:
		n := max(len(s.array)/2, 1)
		s.array, s.events = s.array[:n], s.events[:n]
		return "shorter"
	case 6:
		s.poll(readable(1, s.fds[0].fd), clockFor(2, wasi.ClockMonotonic, 0, 0))
		return "poll_oneoff"
	case 7:
		// The first two are sockets. The number gets another socket.
		p := s.fds[s.IntN(2)]
		s.must("fd_close", p.fd)
		if got := s.open(wasi.AddressFamilyInet4, wasi.SocketTypeDgram); got != p.fd {
			s.t.Fatalf("got descriptor %d, want the lowest, %d", got, p.fd)
		}
		s.must("sock_bind", p.fd, s.putAddr(loopback(wasi.AddressFamilyInet4)))
		p.queued = 0
		return "another socket"
	}
	p := s.fds[s.IntN(2)]
	if p.queued > 0 {
		s.must("sock_recv", p.fd, iov, 1, 0, out, out2)
		p.queued--
		return "received"
	}
	s.must("sock_addr_local", p.fd, out)
	s.must("sock_send_to", s.sender, iov, 1, 0, out, out2)
	p.queued++
	return "sent"
}

// check polls, and compares the revents. Half the time the array has the revents of the last call.
func (s *pollScript) check(t *testing.T, name string) {
	t.Helper()
	want := 0
	for i, which := range s.array {
		fd := uint64(1<<32 - 5)
		if which >= 0 {
			fd = s.fds[which].fd
			if s.fds[which].revents(s.events[i]) != 0 {
				want++
			}
		}
		b := s.memory()[pollArray+8*i:]
		same := uint64(binary.LittleEndian.Uint32(b)) == fd &&
			binary.LittleEndian.Uint16(b[4:]) == s.events[i]
		if !same || s.IntN(8) == 0 {
			putPollFD(s.caller, pollArray, i, fd, s.events[i])
		}
	}
	timeout := [...]int64{0, 1, 1000}[s.IntN(3)]
	if want > 0 && s.IntN(2) == 0 {
		timeout = -1
	}
	if got := s.fdPoll(len(s.array), timeout); got != uint64(want) {
		t.Errorf("%s: got %d, want %d", name, got, want)
	}
	for i, which := range s.array {
		want := uint16(0)
		if which >= 0 {
			want = s.fds[which].revents(s.events[i])
		}
		if got := binary.LittleEndian.Uint16(s.memory()[pollArray+8*i+6:]); got != want {
			t.Errorf("%s: entry %d of events %#x: got %#x, want %#x", name, i, s.events[i], got,
				want)
		}
	}
}

// TestFDPoll polls descriptors in every state, by scripts of random changes.
func TestFDPoll(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := newNetCaller(t)
			a, b, _, _ := c.datagrams(wasi.AddressFamilyInet4)
			sender := c.open(wasi.AddressFamilyInet4, wasi.SocketTypeDgram)
			c.must("fd_pipe", 4, out, out2)
			reader, writer := c.u32(out), c.u32(out2)
			c.must("sock_pair", stream, 4, out, out2)
			ended, peer := c.u32(out), c.u32(out2)
			c.must("fd_close", peer)
			c.must("fd_event", 0, 0, out)
			s := &pollScript{caller: c, Rand: rand.New(rand.NewPCG(seed, 0)), sender: sender,
				fds: []*polledFD{
					{fd: a, writable: true}, {fd: b, writable: true}, {fd: reader},
					{fd: writer, writable: true}, {fd: ended, fails: 0x2000},
					{fd: c.u32(out), writable: true}, {fd: 999, fails: 0x4000, exclusive: true},
				}, array: []int{0, 1, 2}, events: []uint16{1, 1, 1}}
			for range 60 {
				s.check(t, s.step())
			}
		})
	}
}

// TestFDPollWaits waits for the time-out, alone and beside a descriptor, and for ever until an end.
func TestFDPollWaits(t *testing.T) {
	c := newNetCaller(t)
	_, quiet, _, _ := c.datagrams(wasi.AddressFamilyInet4)
	putPollFD(c, pollArray, 0, quiet, 1)
	putPollFD(c, pollArray, 1, 1<<32-1, 1)
	const soon = 3e6
	for _, count := range []int{1, 0, 1, 2} {
		for _, timeout := range []int64{soon, soon, 0, 2 * soon} {
			begin := time.Now()
			if got := c.fdPoll(count, timeout); got != 0 {
				t.Errorf("%d descriptors for %d ns: got %d ready, want none", count, timeout, got)
			}
			if took := time.Since(begin); took < time.Duration(timeout) {
				t.Errorf("%d descriptors: got %v, want at least %v", count, took,
					time.Duration(timeout))
			}
		}
	}
	end := errors.New("end")
	for _, count := range []uint64{0, 1} {
		c := newNetCaller(t)
		_, quiet, _, _ := c.datagrams(wasi.AddressFamilyInet4)
		putPollFD(c, pollArray, 0, quiet, 1)
		time.AfterFunc(soon, func() { c.guest.Kill(end) })
		_, err := c.mod.ExportedFunction("fd_poll").Call(c.ctx, pollArray, count, 1<<63, out3)
		if !errors.Is(err, end) {
			t.Errorf("%d descriptors for ever: got %v, want the guest's end", count, err)
		}
	}
}
