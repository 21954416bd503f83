package kernel

import (
	"net"
	"runtime"
	"sync/atomic"

	"github.com/wasport/wasport/network"
)

// handle is a descriptor that its last user closes, so that a system call never meets a number that
// was given to another file meanwhile.
type handle struct {
	fd descriptor
	// users is the number of calls under way, in units of oneUser, and bits below.
	users atomic.Int32
	// mayLinger tells that the program may have set a linger time, before or after the socket was
	// adopted.
	mayLinger atomic.Bool
	// replace gives the handle another descriptor. It is called as replaceUnused says.
	replace func()
	// shared tells that the program has the same socket, so that its options must not change. It is
	// false for a shared connection, since a linger time would make Close block.
	shared bool
	// closesAtOnce tells that the kernel has next to nothing to do when it closes the descriptor.
	closesAtOnce atomic.Bool
	waiters
}

const (
	// closedBit tells that the handle is closed.
	closedBit = 1 << iota
	// staleBit tells that the last call under way is to replace the descriptor.
	staleBit
	// aloneBit tells that the descriptor is being replaced.
	aloneBit
	oneUser
)

// acquire keeps the descriptor open until release. It reports false if the handle is closed. Both
// are small enough for the compiler to put them into their callers, which are all calls on sockets.
func (h *handle) acquire() bool {
	return h.users.CompareAndSwap(0, oneUser) || h.acquireSlowly()
}

// acquireSlowly is acquire for a handle that is used already, was closed, or is to be replaced.
func (h *handle) acquireSlowly() bool {
	for {
		n := h.users.Load()
		switch {
		case n&closedBit != 0:
			return false
		case n&aloneBit != 0:
			runtime.Gosched()
		case h.users.CompareAndSwap(n, n+oneUser):
			return true
		}
	}
}

func (h *handle) release() {
	if left := h.users.Add(-oneUser); left != 0 {
		h.released(left)
	}
}

// released does what the bits that are left ask the last call for.
func (h *handle) released(left int32) {
	switch left {
	case closedBit, closedBit | staleBit:
		h.destroy()
	case staleBit:
		if h.users.CompareAndSwap(staleBit, aloneBit) {
			h.replace()
			h.users.Store(0)
		}
	}
}

func (h *handle) closed() bool {
	return h.users.Load()&closedBit != 0
}

// replaceUnused has replace called once no call uses the descriptor, and before another does. The
// caller has acquired the handle. So has that of keepUnused, which takes it back.
func (h *handle) replaceUnused(replace func()) {
	h.keepUnused()
	h.replace = replace
	h.users.Or(staleBit)
}

func (h *handle) keepUnused() { h.users.And(^staleBit) }

// Close forbids further calls and wakes the waiting ones. The last call under way closes the
// descriptor.
func (h *handle) Close() error {
	for {
		n := h.users.Load()
		switch {
		case n&closedBit != 0:
			return net.ErrClosed
		case n&aloneBit != 0:
			runtime.Gosched()
		case !h.users.CompareAndSwap(n, n|closedBit):
		case n < oneUser:
			return h.destroy()
		default:
			h.wakeAll()
			return nil
		}
	}
}

// destroy closes the descriptor without blocking. It first takes back a linger time that the
// program has set, as socket.setLinger says.
func (h *handle) destroy() error {
	if h.mayLinger.Load() && !h.shared {
		o := options[network.Linger]
		if seconds, err := getLinger(h.fd, o.level, o.name); err == nil && seconds > 0 {
			setLinger(h.fd, o.level, o.name, -1)
		}
	}
	return h.closeFD()
}

// control implements network.Readiness.Control.
func (h *handle) control(f func(fd uintptr)) error {
	if !h.acquire() {
		return net.ErrClosed
	}
	defer h.release()
	f(uintptr(h.fd))
	return nil
}
