//go:build linux && !portable

package poll

import (
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// Edges tells which of many Pollables may have become ready, at a cost by their number and not by
// how many are registered. It is an epoll(7) with edge-triggered registrations; a Pollable without
// a descriptor of the system tells by its Notify.
//
// Add, Change, Remove and Collect are called by one goroutine at a time, Signal and the others by
// any. A Set can wait for the Edges themselves, by Readiness.
type Edges struct {
	epfd, wakefd int
	// signalled tells that wakefd is readable or is about to be.
	signalled atomic.Bool
	// one is written to wakefd, and count is read from it. They are fields since a local variable
	// that a system call uses is allocated under the race detector.
	one, count [8]byte

	slots  []edgeSlot
	free   []int32
	slotOf map[network.Pollable]int32
	events [64]unix.EpollEvent

	// mu protects the fields below, and the closing of both descriptors.
	mu sync.Mutex
	// users counts the calls that use the descriptors, and Close as one until it is called.
	users  int
	closed bool
}

// edgeSlot is a registration with the kernel, the user data of its events. All edges of a Pollable
// share one: however often it is registered, that takes no further descriptors of the system.
type edgeSlot struct {
	edges   []*Edge
	p       network.Pollable
	control func(func(uintptr)) error
	// want joins the events of the edges, and of edges that were removed.
	want network.Events
	// dupFD is a duplicate that is registered in place of a descriptor that another Pollable has,
	// too; 0 = none.
	dupFD int
	// generation tells the slot's edges apart from former ones.
	generation int32
}

// Edge is a registration.
type Edge struct {
	mark func()
	want network.Events
	// slot is the place in Edges.slots, or wakeSlot without a descriptor.
	slot int32

	notify func(network.Events, func()) func()
	stop   func()
}

// NewEdges makes an Edges without registrations. It must be closed. On a system where a Set cannot
// wait for one it returns nil.
func NewEdges() (*Edges, error) {
	if !epollNests() {
		return nil, nil
	}
	wakefd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		unix.Close(wakefd)
		return nil, err
	}
	err = unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, wakefd,
		&unix.EpollEvent{Events: unix.EPOLLIN, Fd: wakeSlot})
	if err != nil {
		unix.Close(wakefd)
		unix.Close(epfd)
		return nil, err
	}
	e := &Edges{epfd: epfd, wakefd: wakefd, users: 1, slotOf: make(map[network.Pollable]int32)}
	binary.NativeEndian.PutUint64(e.one[:], 1)
	return e, nil
}

// Add registers a Pollable. From then on Collect, or a wake of the Pollable, calls mark each time
// that an event of want, Hangup or Failed may have begun to hold, and once for those that hold
// already. One that is always ready, such as a regular file, is EPERM (epoll_ctl(2)).
func (e *Edges) Add(p network.Pollable, want network.Events, mark func()) (*Edge, error) {
	way := p.Readiness()
	if way.Control == nil && way.Notify == nil {
		return nil, unix.EPERM
	}
	g := &Edge{mark: mark, want: want, slot: wakeSlot, notify: notifyBesides(way)}
	if way.Control != nil {
		if err := e.join(g, p, way.Control); err != nil {
			return nil, err
		}
	}
	e.listen(g, want)
	return g, nil
}

// join gives an edge the slot of its Pollable.
func (e *Edges) join(g *Edge, p network.Pollable, control func(func(uintptr)) error) error {
	op := unix.EPOLL_CTL_MOD
	n, known := e.slotOf[p]
	if !known {
		op, n = unix.EPOLL_CTL_ADD, e.takeSlot(p, control)
	}
	g.slot = n
	e.slots[n].edges = append(e.slots[n].edges, g)
	err := e.tell(op, g)
	if err != nil {
		e.leave(g)
	}
	return err
}

// leave takes an edge from its slot, and releases the slot with the last one.
func (e *Edges) leave(g *Edge) {
	s := &e.slots[g.slot]
	i := slices.Index(s.edges, g)
	s.edges = slices.Delete(s.edges, i, i+1)
	if len(s.edges) == 0 {
		if s.dupFD > 0 {
			unix.Close(s.dupFD)
		}
		delete(e.slotOf, s.p)
		*s = edgeSlot{generation: s.generation}
		e.free = append(e.free, g.slot)
	}
}

func (e *Edges) listen(g *Edge, want network.Events) {
	if g.notify != nil {
		g.stop = g.notify(want, func() {
			g.mark()
			e.Signal()
		})
	}
}

// Change replaces the events of a registration. Those that hold already are told anew.
func (e *Edges) Change(g *Edge, want network.Events) error {
	if g.stop != nil {
		g.stop()
		e.listen(g, want)
	}
	if g.want = want; g.slot == wakeSlot {
		return nil
	}
	return e.tell(unix.EPOLL_CTL_MOD, g)
}

// Remove ends a registration.
func (e *Edges) Remove(g *Edge) {
	if g.stop != nil {
		g.stop()
	}
	if g.slot == wakeSlot {
		return
	}
	if len(e.slots[g.slot].edges) == 1 {
		e.ctl(unix.EPOLL_CTL_DEL, g.slot, 0) // the kernel has removed a closed descriptor
	}
	e.leave(g)
}

func (e *Edges) takeSlot(p network.Pollable, control func(func(uintptr)) error) int32 {
	n := int32(len(e.slots))
	if last := len(e.free) - 1; last >= 0 {
		n, e.free = e.free[last], e.free[:last]
	} else {
		e.slots = append(e.slots, edgeSlot{})
	}
	s := &e.slots[n]
	s.p, s.control = p, control
	s.generation++
	e.slotOf[p] = n
	return n
}

// tell tells the kernel the events of an edge, and marks the edges of the slot for which such an
// event holds already. If other edges have told the kernel of the events, it marks only this one.
func (e *Edges) tell(op int, g *Edge) error {
	s := &e.slots[g.slot]
	want := g.want
	if len(s.edges) > 1 {
		if want |= s.want; want == s.want {
			g.mark()
			e.Signal()
			return nil
		}
	}
	err := e.ctl(op, g.slot, want)
	if err == nil {
		s.want = want
	}
	return err
}

// ctl makes an epoll_ctl(2). The Control of the Pollable keeps its descriptor open meanwhile.
func (e *Edges) ctl(op int, slot int32, want network.Events) error {
	s := &e.slots[slot]
	event := unix.EpollEvent{Events: maskOf(want) | unix.EPOLLET, Fd: slot, Pad: s.generation}
	var failed error
	err := s.control(func(fd uintptr) {
		at := int(fd)
		if s.dupFD > 0 {
			at = s.dupFD
		}
		failed = unix.EpollCtl(e.epfd, op, at, &event)
		if failed == unix.EEXIST && op == unix.EPOLL_CTL_ADD {
			if s.dupFD, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3); failed == nil {
				failed = unix.EpollCtl(e.epfd, op, s.dupFD, &event)
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// Collect marks the registrations of which the system has told since the last call.
func (e *Edges) Collect() {
	for n := len(e.events); n == len(e.events); {
		var err error
		n, err = unix.EpollWait(e.epfd, e.events[:], 0)
		if err == unix.EINTR {
			n = len(e.events)
			continue
		}
		for _, event := range e.events[:max(n, 0)] {
			switch {
			case event.Fd == wakeSlot:
				e.drain()
			case e.slots[event.Fd].generation == event.Pad:
				e.slots[event.Fd].mark(event.Events)
			}
		}
	}
}

// mark marks the edges that want one of the events that the kernel tells.
func (s *edgeSlot) mark(events uint32) {
	for _, g := range s.edges {
		if events&(maskOf(g.want)|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			g.mark()
		}
	}
}

// Readiness is for a Set: the Edges are readable once Collect has something to mark, and after
// Signal.
func (e *Edges) Readiness() network.Readiness {
	return network.Readiness{Control: func(f func(fd uintptr)) error {
		if !e.use() {
			return net.ErrClosed
		}
		defer e.unuse()
		f(uintptr(e.epfd))
		return nil
	}}
}

// Signal makes a Set that waits for the Edges return.
func (e *Edges) Signal() {
	if e.signalled.Swap(true) || !e.use() {
		return
	}
	defer e.unuse()
	unix.Write(e.wakefd, e.one[:])
}

// drain undoes Signal. Its callers have stored their reasons before, and look for reasons after it.
func (e *Edges) drain() {
	unix.Read(e.wakefd, e.count[:])
	e.signalled.Store(false)
}

func (e *Edges) use() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.users++
	}
	return !e.closed
}

// unuse closes the descriptors if the caller is their last user.
func (e *Edges) unuse() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.users--; e.users == 0 {
		unix.Close(e.epfd)
		unix.Close(e.wakefd)
	}
}

// Close releases the Edges. All registrations are removed before. It is called once.
func (e *Edges) Close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.unuse()
}
