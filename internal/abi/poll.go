package abi

import (
	"bytes"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// maxSubscriptions bounds the subscriptions of one poll_oneoff. The host keeps some 250 bytes for
// each until the thread ends. The bound suffices for both directions of
// system.DefaultMaxDescriptors descriptors.
const maxSubscriptions = 2 * system.DefaultMaxDescriptors

// pollOneoff implements poll_oneoff(subscriptions, events, count, out count). Programs poll the
// same descriptors again and again, so subscriptions that equal those of the thread's last call are
// not decoded again.
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
	unchanged := bytes.Equal(in, c.lastSubscriptions)
	if !unchanged {
		// Another thread may change the subscriptions: copy them once and decode the copy.
		c.lastSubscriptions = append(c.lastSubscriptions[:0], in...)
		c.subscriptions = c.subscriptions[:0]
		for b := c.lastSubscriptions; len(b) > 0; b = b[wasi.SizeSubscription:] {
			s := wasi.GetSubscription(b)
			if s.Type > wasi.EventFdFail {
				c.lastSubscriptions = c.lastSubscriptions[:0]
				return wasi.EINVAL
			}
			c.subscriptions = append(c.subscriptions, system.Subscription{
				Kind: system.SubscriptionKind(s.Type), FD: s.FD, Clock: s.Clock, Timeout: s.Timeout,
				Absolute: s.Flags&wasi.SubclockAbstime != 0,
			})
		}
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
