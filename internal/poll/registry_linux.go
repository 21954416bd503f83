//go:build linux && !portable

package poll

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// registry is what is registered with an epoll, and for which items.
type registry struct {
	epoll  *epoll
	signal func()

	known  map[network.Pollable]*source
	live   []*source // the same, in order of appearance
	of     []*source // of each item
	next   []int32   // the next item with the same source; -1 ends
	others []*source // those of live that the kernel does not tell of
	round  uint32    // counts updates

	slots []slot
	free  []int32

	// Operands of ctl, which is made once since it would be allocated for each call.
	op   int
	src  *source
	fail error
	ctl  func(fd uintptr)
}

// slot is where the kernel's answer leads to. Its number of uses tells the answers for its former
// sources apart.
type slot struct {
	src  *source
	uses int32
}

func (r *registry) init(p *epoll, signal func()) {
	r.epoll, r.signal = p, signal
	r.known = make(map[network.Pollable]*source)
	r.ctl = func(fd uintptr) {
		if r.op != 0 {
			r.fail = r.control(int(fd))
		}
	}
}

// at is the source that an event belongs to, or nil if that is gone.
func (r *registry) at(n, uses int32) *source {
	if s := r.slots[n]; s.uses == uses {
		return s.src
	}
	return nil
}

// update makes the registrations be those of the items.
func (r *registry) update(items []Item) {
	r.round++
	before := r.of
	if len(items) > cap(r.of) {
		r.of = make([]*source, len(items))
		r.next = make([]int32, len(items))
		copy(r.of, before)
	}
	r.of, r.next = r.of[:len(items)], r.next[:len(items)]
	// Backwards, so that the items of a source are linked in their order.
	for i := len(items) - 1; i >= 0; i-- {
		var src *source
		if i < len(before) && before[i] != nil && before[i].p == items[i].P {
			src = before[i]
		} else if src = r.known[items[i].P]; src == nil {
			src = &source{p: items[i].P, slot: wakeSlot}
			r.known[src.p] = src
			r.live = append(r.live, src)
		}
		if src.round != r.round {
			src.round, src.want, src.first = r.round, 0, -1
		}
		src.want |= items[i].Want
		r.of[i], r.next[i], src.first = src, src.first, int32(i)
	}
	r.sweep()
	r.others = r.others[:0]
	for _, src := range r.live {
		r.settle(src)
		if src.kind != registered {
			r.others = append(r.others, src)
		}
	}
	r.epoll.room(len(r.live) + 1)
}

// sweep drops the sources that no item has any more. First of all: the number of a descriptor may
// have passed to a new one.
func (r *registry) sweep() {
	kept := r.live[:0]
	for _, src := range r.live {
		if src.round == r.round {
			kept = append(kept, src)
			continue
		}
		r.unregister(src)
		delete(r.known, src.p)
	}
	clear(r.live[len(kept):])
	r.live = kept
	clear(r.of[len(r.of):cap(r.of)])
}

// settle brings the registration of a source up to date.
func (r *registry) settle(src *source) {
	switch src.kind {
	case registered:
		op := 0 // which only finds out whether it is closed
		if src.want != src.told {
			op = unix.EPOLL_CTL_MOD
		}
		if err := r.do(op, src); err != nil {
			r.unregister(src)
			src.kind, src.err = failed, err
		}
		return
	case notifying:
		if src.want != src.told {
			src.disarm()
		}
		return
	}
	switch way := src.p.Readiness(); {
	case way.Control != nil:
		src.control = way.Control
		r.register(src)
	case way.Notify != nil:
		src.kind, src.notify, src.signal = notifying, way.Notify, r.signal
	default:
		src.kind = always
	}
}

func (r *registry) register(src *source) {
	if src.slot < 0 {
		if n := len(r.free); n > 0 {
			src.slot, r.free = r.free[n-1], r.free[:n-1]
		} else {
			src.slot = int32(len(r.slots))
			r.slots = append(r.slots, slot{})
		}
	}
	r.slots[src.slot].src = src
	r.slots[src.slot].uses++
	switch err := r.do(unix.EPOLL_CTL_ADD, src); err {
	case nil:
		src.kind, src.err = registered, nil
	case unix.EPERM: // as for regular files, on which nothing ever waits
		r.release(src)
		src.kind = always
	default:
		r.release(src)
		src.kind, src.err = failed, err
	}
}

// unregister forgets a source. If that is closed, the kernel has no number for it any more, and has
// forgotten it as well, or goes on reporting it for a slot that is not its own any more.
func (r *registry) unregister(src *source) {
	switch {
	case src.kind == notifying:
		src.disarm()
	case src.kind != registered:
	case src.twin != 0:
		unix.EpollCtl(r.epoll.epfd, unix.EPOLL_CTL_DEL, src.twin, nil)
		src.single()
		r.release(src)
	default:
		r.do(unix.EPOLL_CTL_DEL, src)
		r.release(src)
	}
}

func (r *registry) release(src *source) {
	r.slots[src.slot].src = nil
	r.slots[src.slot].uses++
	r.free = append(r.free, src.slot)
	src.slot = wakeSlot
}

// renew registers everything anew, with an epoll that knows nothing.
func (r *registry) renew() {
	r.others = r.others[:0]
	for _, src := range r.live {
		if src.kind == registered {
			r.register(src)
		}
		if src.kind != registered {
			r.others = append(r.others, src)
		}
	}
}

// clear forgets everything.
func (r *registry) clear() {
	for _, src := range r.live {
		src.disarm()
		src.single()
	}
	*r = registry{}
}

// do makes an epoll_ctl on a source, while it cannot be closed.
func (r *registry) do(op int, src *source) error {
	r.op, r.src, r.fail = op, src, nil
	err := src.control(r.ctl)
	r.src = nil
	if err != nil {
		return err
	}
	return r.fail
}

func (r *registry) control(fd int) error {
	src := r.src
	if src.twin != 0 {
		fd = src.twin
	}
	e := unix.EpollEvent{Events: maskOf(src.want), Fd: src.slot, Pad: r.slots[src.slot].uses}
	err := unix.EpollCtl(r.epoll.epfd, r.op, fd, &e)
	if err == unix.EEXIST && src.twin == 0 { // another source has the same descriptor
		if err = src.double(fd); err == nil {
			err = unix.EpollCtl(r.epoll.epfd, r.op, src.twin, &e)
		}
		if err != nil {
			src.single()
		}
	}
	if err == nil {
		src.told = src.want
	}
	return err
}

func maskOf(want network.Events) uint32 {
	var mask uint32
	if want&network.Readable != 0 {
		mask |= unix.EPOLLIN
	}
	if want&network.Writable != 0 {
		mask |= unix.EPOLLOUT
	}
	return mask
}
