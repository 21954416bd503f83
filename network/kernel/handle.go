package kernel

import (
	"net"
	"sync/atomic"
)

// handle is a descriptor of the kernel that is closed when its last user leaves: a system call never meets a number that
// has meanwhile been given to something else.
type handle struct {
	fd    descriptor
	users atomic.Int32 // twice the number of calls under way, plus 1 once closed
	parking
}

// acquire must be followed by release, if it says yes.
func (h *handle) acquire() bool {
	for {
		n := h.users.Load()
		if n&1 != 0 {
			return false
		}
		if h.users.CompareAndSwap(n, n+2) {
			return true
		}
	}
}

func (h *handle) release() {
	if h.users.Add(-2) == 1 {
		h.shut()
	}
}

func (h *handle) closed() bool {
	return h.users.Load()&1 != 0
}

// Close forbids further calls and wakes those that wait. The last one to leave closes the descriptor.
func (h *handle) Close() error {
	for {
		n := h.users.Load()
		if n&1 != 0 {
			return net.ErrClosed
		}
		if !h.users.CompareAndSwap(n, n+1) {
			continue
		}
		if n == 0 {
			return h.shut()
		}
		h.unpark()
		return nil
	}
}

// control is network.Readiness's Control.
func (h *handle) control(f func(fd uintptr)) error {
	if !h.acquire() {
		return net.ErrClosed
	}
	defer h.release()
	f(uintptr(h.fd))
	return nil
}
