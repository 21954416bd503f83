//go:build linux && !portable

package poll

import (
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"unsafe"

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

	slots  []edgeSlot
	free   []int32
	events [64]unix.EpollEvent

	// mu protects the fields below, and the closing of both descriptors.
	mu sync.Mutex
	// users counts the calls that use the descriptors, and Close as one until it is called.
	users  int
	closed bool
}

// edgeSlot is the user data of an event. The generation tells its edge apart from former ones.
type edgeSlot struct {
	edge       *Edge
	generation int32
}

// Edge is a registration.
type Edge struct {
	mark    func()
	control func(func(uintptr)) error
	slot    int32
	// dupFD is a duplicate that is registered in place of a descriptor that is registered already,
	// or -1.
	dupFD int

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
	return &Edges{epfd: epfd, wakefd: wakefd, users: 1}, nil
}

// Add registers a Pollable. From then on Collect, or a wake of the Pollable, calls mark each time
// that an event of want, Hangup or Failed may have begun to hold, and once for those that hold
// already. One that is always ready, such as a regular file, is EPERM (epoll_ctl(2)).
func (e *Edges) Add(p network.Pollable, want network.Events, mark func()) (*Edge, error) {
	way := p.Readiness()
	if way.Control == nil && way.Notify == nil {
		return nil, unix.EPERM
	}
	g := &Edge{mark: mark, control: way.Control, slot: wakeSlot, dupFD: -1, notify: way.Notify}
	if g.control != nil {
		g.slot = e.takeSlot(g)
		if err := e.ctl(unix.EPOLL_CTL_ADD, g, want); err != nil {
			e.releaseSlot(g)
			return nil, err
		}
	}
	e.listen(g, want)
	return g, nil
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
	if g.control != nil {
		return e.ctl(unix.EPOLL_CTL_MOD, g, want)
	}
	return nil
}

// Remove ends a registration.
func (e *Edges) Remove(g *Edge) {
	if g.stop != nil {
		g.stop()
	}
	if g.control == nil {
		return
	}
	e.ctl(unix.EPOLL_CTL_DEL, g, 0) // a closed descriptor has been removed by the kernel
	if g.dupFD >= 0 {
		unix.Close(g.dupFD)
	}
	e.releaseSlot(g)
}

func (e *Edges) takeSlot(g *Edge) int32 {
	n := int32(len(e.slots))
	if last := len(e.free) - 1; last >= 0 {
		n, e.free = e.free[last], e.free[:last]
	} else {
		e.slots = append(e.slots, edgeSlot{})
	}
	e.slots[n].edge = g
	e.slots[n].generation++
	return n
}

func (e *Edges) releaseSlot(g *Edge) {
	e.slots[g.slot].edge = nil
	e.free = append(e.free, g.slot)
}

// ctl makes an epoll_ctl(2). The Control of the Pollable keeps its descriptor open meanwhile.
func (e *Edges) ctl(op int, g *Edge, want network.Events) error {
	event := unix.EpollEvent{Events: maskOf(want) | unix.EPOLLET, Fd: g.slot,
		Pad: e.slots[g.slot].generation}
	var failed error
	err := g.control(func(fd uintptr) {
		at := int(fd)
		if g.dupFD >= 0 {
			at = g.dupFD
		}
		failed = unix.EpollCtl(e.epfd, op, at, &event)
		if failed == unix.EEXIST && op == unix.EPOLL_CTL_ADD {
			if g.dupFD, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3); failed == nil {
				failed = unix.EpollCtl(e.epfd, op, g.dupFD, &event)
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
			case e.slots[event.Fd].generation == event.Pad && e.slots[event.Fd].edge != nil:
				e.slots[event.Fd].edge.mark()
			}
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
	unix.Write(e.wakefd, binary.NativeEndian.AppendUint64(make([]byte, 0, 8), 1))
}

// drain undoes Signal. Its callers have stored their reasons before, and look for reasons after it.
func (e *Edges) drain() {
	var count uint64
	unix.Read(e.wakefd, unsafe.Slice((*byte)(unsafe.Pointer(&count)), 8))
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
