package abi

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// sizePollFD is the size in bytes of struct pollfd: the descriptor, events, and revents, of which
// the latter two have 16 bits.
const sizePollFD = 8

// Events of struct pollfd (poll(2)), with the numbers of wasi-libc.
const (
	pollIn      = 0x0001
	pollOut     = 0x0002
	pollError   = 0x1000
	pollHangup  = 0x2000
	pollInvalid = 0x4000
)

// pollFDs is the state of a thread's calls of fd_poll.
type pollFDs struct {
	// last is a copy of the last call's array, with what the call has stored in it. It is empty if
	// the thread has polled in another way since.
	last []byte
	// answered are the entries in which the last call has stored events.
	answered []int32
	// entries are the entries that the subscriptions are of; -1 for that of the time-out.
	entries []int32
}

// fdPoll implements fd_poll(fds, count, time-out, out count): poll(2). The guest does not copy its
// array into subscriptions of poll_oneoff, which are six times as large. Programs poll the same
// array again and again. So one that the guest has left as it was costs a comparison, and a changed
// one is looked up where it differs from the last.
func fdPoll(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	count := uint32(a[1])
	if count > maxSubscriptions {
		return wasi.EINVAL
	}
	in, e := m.Slice(uint32(a[0]), count*sizePollFD)
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[3]), 4); e != wasi.Success {
		return e
	}
	// Each entry may wait in both directions.
	if err := c.ReservePoll(min(2*int(count), maxSubscriptions)); err != nil {
		return wasi.ErrnoOf(err)
	}
	c.beginPoll()
	p := &c.pollFDs
	unchanged := len(p.last) > 0 && p.clearUnchanged(in)
	if !unchanged && !c.subscribeFDs(in) {
		p.last = p.last[:0]
		return wasi.EINVAL
	}
	p.answered = p.answered[:0]
	if c.subscribeTimeout(int64(a[2])) {
		unchanged = false
	}
	events, err := c.Poll(c.subscriptions, unchanged)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	for _, h := range events {
		if i := p.entries[h.Index]; i >= 0 {
			p.answer(in, i, reventsOf(c.subscriptions[h.Index].Kind, &h))
		}
	}
	return m.PutUint32(uint32(a[3]), uint32(len(p.answered)))
}

// clearUnchanged reports whether an array has the descriptors and events of the last one, and
// clears the revents in it.
func (p *pollFDs) clearUnchanged(in []byte) bool {
	if bytes.Equal(in, p.last) {
		for _, i := range p.answered {
			p.setRevents(in, i, 0)
		}
		return true
	}
	if len(in) != len(p.last) {
		return false
	}
	const asked = 1<<48 - 1 // all but revents
	for at := 0; at < len(in); at += sizePollFD {
		now := binary.LittleEndian.Uint64(in[at:])
		if (now^binary.LittleEndian.Uint64(p.last[at:]))&asked != 0 {
			return false
		}
		p.setRevents(in, int32(at/sizePollFD), 0)
	}
	return true
}

// subscribeFDs makes the subscriptions for an array, without one for a time-out, and clears the
// events in it. It reports false if there would be too many. Another thread may change the array
// meanwhile: each entry is read once.
func (c *Caller) subscribeFDs(in []byte) bool {
	p := &c.pollFDs
	c.ChargeSteps(len(in) >> 13)
	if len(p.last) == 0 { // the subscriptions are those of another call
		c.subscriptions, c.lastSubscriptions = c.subscriptions[:0], c.lastSubscriptions[:0]
	}
	last := c.subscriptions
	c.subscriptions, p.entries = c.subscriptions[:0], p.entries[:0]
	p.last = append(p.last[:0], in...)
	for at := 0; at < len(in); at += sizePollFD {
		p.setRevents(in, int32(at/sizePollFD), 0)
		fd := int32(binary.LittleEndian.Uint32(p.last[at:]))
		events := binary.LittleEndian.Uint16(p.last[at+4:])
		if fd < 0 {
			continue
		}
		// Without an event to wait for, poll(2) tells of failures.
		for _, x := range [...]struct {
			kind   system.SubscriptionKind
			wanted bool
		}{
			{system.Reading, events&pollIn != 0},
			{system.Writing, events&pollOut != 0},
			{system.Failing, events&(pollIn|pollOut) == 0},
		} {
			if x.wanted {
				c.subscribeEntry(last, system.Subscription{Kind: x.kind, FD: fd}, at/sizePollFD)
			}
		}
	}
	return len(c.subscriptions) < maxSubscriptions
}

// subscribeEntry adds a subscription, and compares it with that at the same place among the last
// ones, which it may overwrite.
func (c *Caller) subscribeEntry(last []system.Subscription, s system.Subscription, entry int) {
	if i := len(c.subscriptions); i < len(last) {
		s.Same = last[i].Kind == s.Kind && last[i].FD == s.FD
	}
	c.subscriptions = append(c.subscriptions, s)
	c.pollFDs.entries = append(c.pollFDs.entries, int32(entry))
}

// subscribeTimeout makes the last subscription the one for a time-out in ns, if there is one, and
// reports whether the list has changed by that. A negative one never ends.
func (c *Caller) subscribeTimeout(ns int64) (changed bool) {
	p := &c.pollFDs
	n := len(c.subscriptions)
	has := n > 0 && c.subscriptions[n-1].Kind == system.Timer
	wants := ns >= 0 || n == 0 || has && n == 1
	switch {
	case has && !wants:
		c.subscriptions, p.entries = c.subscriptions[:n-1], p.entries[:n-1]
	case !has && wants:
		c.subscriptions = append(c.subscriptions, system.Subscription{})
		p.entries = append(p.entries, -1)
	}
	if wants {
		// Kind is Timer. A time-out may change without a new set: Poll reads it in each call.
		s := &c.subscriptions[len(c.subscriptions)-1]
		*s = system.Subscription{Kind: system.Timer, Clock: wasi.ClockMonotonic,
			Timeout: math.MaxUint64}
		if ns >= 0 {
			s.Timeout = uint64(ns)
		}
	}
	return has != wants
}

// reventsOf returns the revents for an event. The direction is reported beside pollError, for
// callers that look for that alone.
func reventsOf(kind system.SubscriptionKind, h *system.Event) (revents uint16) {
	e := wasi.ErrnoOf(h.Err)
	if e == wasi.EBADF {
		return pollInvalid
	}
	switch kind {
	case system.Reading:
		revents = pollIn
	case system.Writing:
		revents = pollOut
	}
	if e != wasi.Success {
		revents |= pollError
	}
	if h.Hangup {
		revents |= pollHangup
	}
	return revents
}

// answer adds events to an entry of the array.
func (p *pollFDs) answer(in []byte, entry int32, revents uint16) {
	before := binary.LittleEndian.Uint16(p.last[entry*sizePollFD+6:])
	if before == 0 && revents != 0 {
		p.answered = append(p.answered, entry)
	}
	p.setRevents(in, entry, before|revents)
}

func (p *pollFDs) setRevents(in []byte, entry int32, revents uint16) {
	binary.LittleEndian.PutUint16(in[entry*sizePollFD+6:], revents)
	binary.LittleEndian.PutUint16(p.last[entry*sizePollFD+6:], revents)
}
