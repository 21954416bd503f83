//go:build linux && !portable

package poll

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// registry holds the registrations with an epoll, and the items of each.
type registry struct {
	epoll  *epoll
	signal func()

	// known finds the source of a Pollable, and sources holds the same in order of appearance.
	known   map[network.Pollable]*source
	sources []*source
	// sourceOf is the source of each item.
	sourceOf []*source
	// next is the next item with the same source, or -1.
	next []int32
	// unregistered holds the sources that the kernel does not report.
	unregistered []*source
	// updates counts the calls of update.
	updates uint32

	slots []slot
	free  []int32

	// ctlOp, ctlSrc and ctlErr are the operands and the result of ctl. The function is made once,
	// since a closure made by each call would be allocated.
	ctlOp  int
	ctlSrc *source
	ctlErr error
	ctl    func(fd uintptr)
}

// slot is the user data of an epoll event. The generation tells its source apart from former ones.
type slot struct {
	src        *source
	generation int32
}

func (r *registry) init(p *epoll, signal func()) {
	r.epoll, r.signal = p, signal
	r.known = make(map[network.Pollable]*source)
	r.ctl = func(fd uintptr) {
		if r.ctlOp != 0 {
			r.ctlErr = r.ctlFD(int(fd))
		}
	}
}

// sourceAt returns the source of an event, or nil if it is no longer registered.
func (r *registry) sourceAt(n, generation int32) *source {
	if s := r.slots[n]; s.generation == generation {
		return s.src
	}
	return nil
}

// update makes the registrations match the items.
func (r *registry) update(items []Item) {
	r.updates++
	before, used := r.sourceOf, 0
	r.sourceOf = resize(r.sourceOf, len(items))
	r.next = resize(r.next, len(items))
	// The loop goes backwards, so that the items of a source are linked in their order.
	for i := len(items) - 1; i >= 0; i-- {
		var src *source
		if i < len(before) && before[i] != nil && before[i].p == items[i].P {
			src = before[i]
		} else if src = r.known[items[i].P]; src == nil {
			src = &source{p: items[i].P, kind: unclassified, slot: wakeSlot}
			r.known[src.p] = src
			r.sources = append(r.sources, src)
		}
		if src.update != r.updates {
			src.update, src.want, src.first, src.open = r.updates, 0, -1, false
			used++
		}
		src.want |= items[i].Want
		src.open = src.open || items[i].Open
		r.sourceOf[i], r.next[i], src.first = src, src.first, int32(i)
	}
	if used < len(r.sources) {
		r.dropUnused()
	}
	if len(items) < len(before) {
		clear(before[len(items):])
	}
	r.unregistered = r.unregistered[:0]
	for _, src := range r.sources {
		if src.kind != registered || !src.open || src.want != src.registeredEvents {
			r.refresh(src)
		}
		if src.kind != registered {
			r.unregistered = append(r.unregistered, src)
		}
	}
	r.epoll.growEvents(len(r.sources) + 1)
}

// dropUnused unregisters the sources that no item has any more. It runs before new sources are
// registered, which may have the descriptor numbers of closed ones.
func (r *registry) dropUnused() {
	kept := r.sources[:0]
	for _, src := range r.sources {
		if src.update == r.updates {
			kept = append(kept, src)
			continue
		}
		r.unregister(src)
		delete(r.known, src.p)
	}
	clear(r.sources[len(kept):])
	r.sources = kept
}

// resize returns a slice of length n that begins as s does. It grows by more than it must, so that
// a set to which items come one by one copies each of them a few times only.
func resize[E any](s []E, n int) []E {
	return slices.Grow(s, max(n-len(s), 0))[:n]
}

// refresh brings the registration of a source up to date.
func (r *registry) refresh(src *source) {
	switch src.kind {
	case registered:
		// With op 0, epollCtl only finds out whether the source is closed.
		op := 0
		if src.want != src.registeredEvents {
			op = unix.EPOLL_CTL_MOD
		}
		if err := r.epollCtl(op, src); err != nil {
			r.unregister(src)
			src.kind, src.err = failed, err
		}
		return
	case notified:
		if src.want != src.registeredEvents {
			src.disarm()
		}
		return
	}
	switch way := src.p.Readiness(); {
	case way.Control != nil:
		src.control = way.Control
		r.register(src)
	case way.Notify != nil:
		src.kind, src.notify, src.signal = notified, way.Notify, r.signal
	default:
		src.kind = alwaysReady
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
	r.slots[src.slot].generation++
	switch err := r.epollCtl(unix.EPOLL_CTL_ADD, src); err {
	case nil:
		src.kind, src.err = registered, nil
	// epoll_ctl(2) refuses regular files, which are always ready.
	case unix.EPERM:
		r.release(src)
		src.kind = alwaysReady
	default:
		r.release(src)
		src.kind, src.err = failed, err
	}
}

// unregister removes a source. If its Pollable is closed, no descriptor is left to remove: the
// kernel has removed it as well, or reports events for a slot with an old generation (epoll(7),
// questions and answers 6).
func (r *registry) unregister(src *source) {
	switch {
	case src.kind == notified:
		src.disarm()
	case src.kind != registered:
	case src.dupFD != 0:
		unix.EpollCtl(r.epoll.epfd, unix.EPOLL_CTL_DEL, src.dupFD, nil)
		src.closeDup()
		r.release(src)
	default:
		r.epollCtl(unix.EPOLL_CTL_DEL, src)
		r.release(src)
	}
}

func (r *registry) release(src *source) {
	r.slots[src.slot].src = nil
	r.slots[src.slot].generation++
	r.free = append(r.free, src.slot)
	src.slot = wakeSlot
}

// registerAll registers all sources with a new epoll.
func (r *registry) registerAll() {
	r.unregistered = r.unregistered[:0]
	for _, src := range r.sources {
		if src.kind == registered {
			r.register(src)
		}
		if src.kind != registered {
			r.unregistered = append(r.unregistered, src)
		}
	}
}

// clear removes all sources.
func (r *registry) clear() {
	for _, src := range r.sources {
		src.disarm()
		src.closeDup()
	}
	*r = registry{}
}

// epollCtl makes an epoll_ctl(2) on a source. Its Control keeps the descriptor open meanwhile.
func (r *registry) epollCtl(op int, src *source) error {
	r.ctlOp, r.ctlSrc, r.ctlErr = op, src, nil
	err := src.control(r.ctl)
	r.ctlSrc = nil
	if err != nil {
		return err
	}
	return r.ctlErr
}

func (r *registry) ctlFD(fd int) error {
	src := r.ctlSrc
	if src.dupFD != 0 {
		fd = src.dupFD
	}
	e := unix.EpollEvent{Events: maskOf(src.want), Fd: src.slot, Pad: r.slots[src.slot].generation}
	err := unix.EpollCtl(r.epoll.epfd, r.ctlOp, fd, &e)
	// Another source has the same descriptor, and epoll_ctl(2) takes each only once.
	if err == unix.EEXIST && src.dupFD == 0 {
		if err = src.dup(fd); err == nil {
			err = unix.EpollCtl(r.epoll.epfd, r.ctlOp, src.dupFD, &e)
		}
		if err != nil {
			src.closeDup()
		}
	}
	if err == nil {
		src.registeredEvents = src.want
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
