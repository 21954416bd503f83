package abi

import (
	"bytes"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// maxSubscriptions bounds the subscriptions of one poll_oneoff or fd_poll. The bound suffices for
// both directions of system.DefaultMaxDescriptors descriptors.
const maxSubscriptions = 2 * system.DefaultMaxDescriptors

// pollOneoff implements poll_oneoff(subscriptions, events, count, out count). Programs poll the
// same descriptors again and again, so a subscription that equals that of the thread's last call at
// its place is not decoded again.
func pollOneoff(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	count := uint32(a[2])
	if count == 0 || count > maxSubscriptions {
		return wasi.EINVAL
	}
	in, e := m.Slice(uint32(a[0]), count*wasi.SizeSubscription)
	if e != wasi.Success {
		return e
	}
	out, e := m.Slice(uint32(a[1]), count*wasi.SizeEvent)
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[3]), 4); e != wasi.Success {
		return e
	}
	if err := c.ReservePoll(int(count)); err != nil {
		return wasi.ErrnoOf(err)
	}
	c.beginPoll()
	c.pollFDs.last = c.pollFDs.last[:0]
	unchanged := bytes.Equal(in, c.lastSubscriptions)
	if !unchanged && !c.decodeSubscriptions(in) {
		return wasi.EINVAL
	}
	events, err := c.Poll(c.subscriptions, unchanged)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	for i, h := range events {
		s := wasi.GetSubscription(c.lastSubscriptions[h.Index*wasi.SizeSubscription:])
		ev := wasi.Event{Userdata: s.Userdata, Error: wasi.ErrnoOf(h.Err), Type: s.Type,
			Nbytes: h.Bytes}
		if h.Hangup {
			ev.Flags = wasi.EventHangup
		}
		ev.Put(out[i*wasi.SizeEvent:])
	}
	return m.PutUint32(uint32(a[3]), uint32(len(events)))
}

// eventKinds are the conditions of the types of events.
var eventKinds = [...]system.SubscriptionKind{
	wasi.EventClock: system.Timer, wasi.EventFdRead: system.Reading,
	wasi.EventFdWrite: system.Writing, wasi.EventFdFail: system.Failing,
}

// decodeSubscriptions decodes those of the subscriptions that differ from the last ones. It reports
// false if one has a type that does not exist.
func (c *Caller) decodeSubscriptions(in []byte) bool {
	last := min(len(c.lastSubscriptions), len(in))
	count := len(in) / wasi.SizeSubscription
	c.lastSubscriptions = append(c.lastSubscriptions[:last], in[last:]...)
	c.subscriptions = append(c.subscriptions[:last/wasi.SizeSubscription],
		make([]system.Subscription, count-last/wasi.SizeSubscription)...)
	for i := range c.subscriptions {
		at := i * wasi.SizeSubscription
		b := c.lastSubscriptions[at : at+wasi.SizeSubscription]
		if now := in[at : at+wasi.SizeSubscription]; at < last {
			if bytes.Equal(b, now) {
				c.subscriptions[i].Same = true
				continue
			}
			// Another thread may change the subscriptions: copy them once and decode the copy.
			copy(b, now)
		}
		s := wasi.GetSubscription(b)
		if int(s.Type) >= len(eventKinds) {
			c.lastSubscriptions = c.lastSubscriptions[:0]
			return false
		}
		c.subscriptions[i] = system.Subscription{
			Kind: eventKinds[s.Type], FD: s.FD, Clock: s.Clock, Timeout: s.Timeout,
			Absolute: s.Flags&wasi.SubclockAbstime != 0, CountBytes: s.Type == wasi.EventFdRead,
		}
	}
	return true
}
