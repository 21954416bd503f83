package system

import (
	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// register fills items. It keeps those of the last call that are unchanged, and looks up the
// others. Errors become immediate events.
func (t *Thread) register(in []Subscription) {
	w := t.polling
	w.generation = t.table.generation.Load()
	// The items are replaced in place. One that is overwritten before its turn has the position of
	// an earlier subscription, and is looked up again.
	last := w.itemList
	w.items, w.itemDescs, w.itemIndex = last.items[:0], last.itemDescs[:0], last.itemIndex[:0]
	w.immediate, w.timers = w.immediate[:0], w.timers[:0]
	next := 0 // of the last call's items
	for i := range in {
		for next < len(last.items) && last.itemIndex[next] < i {
			next++
		}
		switch {
		case in[i].Kind == Timer && in[i].Clock > wasi.ClockThreadCPU:
			w.immediate = append(w.immediate, Event{Index: i, Err: wasi.EINVAL})
		case in[i].Kind == Timer:
			w.timers = append(w.timers, timer{index: i})
		case in[i].Kind == Signalled:
			w.add(poll.Item{P: in[i].Signal, Want: network.Readable}, neverClosed, i)
		case next < len(last.items) && last.itemIndex[next] == i && in[i].Same && !w.setStale &&
			t.table.stillHas(&in[i], last.itemDescs[next]):
			w.add(last.items[next], last.itemDescs[next], i)
		default:
			t.find(&in[i], i)
		}
	}
	w.itemList.clearAfter(last)
}

// stillHas reports whether the number of a subscription has this descriptor still, with the right
// to wait for it.
func (t *table) stillHas(x *Subscription, d *descriptor) bool {
	now, err := t.lookup(x.FD)
	return err == nil && now == d && d.mayPoll(x.Kind) == nil
}

// mayPoll returns ENOTCAPABLE unless the descriptor has the right to wait for a condition of this
// kind.
func (d *descriptor) mayPoll(kind SubscriptionKind) error {
	if kind == Failing {
		return nil
	}
	return d.require(wasi.RightPollFdReadwrite)
}

// find looks up the descriptor of a subscription.
func (t *Thread) find(x *Subscription, index int) {
	w := t.polling
	d, err := t.table.lookup(x.FD)
	if err == nil {
		err = d.mayPoll(x.Kind)
	}
	if err == nil {
		err = d.checkWaitable()
	}
	if err != nil {
		w.immediate = append(w.immediate, Event{Index: index, Err: err})
		return
	}
	w.add(poll.Item{P: d.object, Want: events[x.Kind], Open: true}, d, index)
}

// itemList are the descriptors that a thread waits for. The slices have the same length.
type itemList struct {
	items []poll.Item

	// itemDescs are the descriptors of the items; neverClosed for one that has none.
	itemDescs []*descriptor

	// itemIndex are the positions of their subscriptions, in ascending order.
	itemIndex []int
}

func (l *itemList) add(it poll.Item, d *descriptor, index int) {
	l.items = append(l.items, it)
	l.itemDescs = append(l.itemDescs, d)
	l.itemIndex = append(l.itemIndex, index)
}

// clearAfter forgets those items of a longer list in the same place that are no longer in use, so
// that their sockets can be collected.
func (l *itemList) clearAfter(longer itemList) {
	if n := len(l.items); n < len(longer.items) {
		clear(longer.items[n:])
		clear(longer.itemDescs[n:])
	}
}
