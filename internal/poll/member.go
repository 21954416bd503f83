package poll

import (
	"github.com/wasport/wasport/network"
)

// member is an item of the last Wait of a pollSet, which keeps it for the next one.
type member struct {
	Item
	set *pollSet
	// index is the place of the item, slot that of its descriptor in pollSet.fds, or wakerSlot
	// without one.
	index, slot int
	way         network.Readiness
	// enter goes on with the next member inside the Control of this one. It is made once, since a
	// closure made by each call would be allocated.
	enter func(fd uintptr)
	notification
}

// wakerSlot is the place of the waker's descriptor in pollSet.fds.
const wakerSlot = 0

// update makes the members match the items.
func (s *pollSet) update(items []Item) {
	for i := len(items); i < len(s.members); i++ {
		s.members[i].disarm()
		s.members[i] = nil
	}
	s.members = s.members[:min(len(items), len(s.members))]
	for i, item := range items {
		switch {
		case i == len(s.members):
			s.members = append(s.members, s.newMember(i, item.P))
		case s.members[i].P != item.P:
			s.members[i].disarm()
			s.members[i] = s.newMember(i, item.P)
		case s.members[i].Want != item.Want:
			s.members[i].disarm()
		}
		s.members[i].Want = item.Want
	}
}

func (s *pollSet) newMember(i int, p network.Pollable) *member {
	m := &member{Item: Item{P: p}, set: s, index: i, way: p.Readiness()}
	m.notification = notification{notify: m.way.Notify, signal: s.signal}
	m.enter = func(fd uintptr) {
		if m.way.Notify == nil {
			s.open[m.P] = fd
		}
		m.addUnlessReady(fd)
		s.waitInControls(i + 1)
	}
	return m
}

// notified polls a member after it has asked to be woken, and reports whether it is ready.
func (m *member) notified() bool {
	m.arm(m.Want)
	got, err := m.P.Poll(m.Want)
	m.Got, m.Err = m.filter(got), err
	return m.Got != 0 || err != nil
}

// addUnlessReady puts the descriptor into pollSet.fds.
func (m *member) addUnlessReady(fd uintptr) {
	s := m.set
	if m.holdsBefore() {
		s.ready = append(s.ready, m.index)
		return
	}
	var mask int16
	if m.Want&network.Readable != 0 {
		mask |= pollIn
	}
	if m.Want&network.Writable != 0 {
		mask |= pollOut
	}
	slot, known := s.slots[fd]
	if known {
		s.fds[slot].Events |= mask
	} else {
		slot = len(s.fds)
		s.slots[fd] = slot
		s.fds = append(s.fds, makePollFd(fd, mask))
	}
	m.slot = slot
}
