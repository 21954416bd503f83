package kernel

import (
	"net"
	"sync/atomic"

	"github.com/wasport/wasport/network"
)

// handle is a descriptor that its last user closes, so that a system call never meets a number that
// was given to another file meanwhile.
type handle struct {
	fd descriptor
	// users is twice the number of calls under way, plus 1 once the handle is closed.
	users atomic.Int32

	// mayLinger tells that the program may have set a linger time, before or after the socket was
	// adopted.
	mayLinger atomic.Bool
	// shared tells that the program has the same socket, so that its options must not change. It is
	// false for a shared connection, since a linger time would make Close block.
	shared bool
	waiters
}

// acquire keeps the descriptor open until release. It reports false if the handle is closed.
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
		h.destroy()
	}
}

func (h *handle) closed() bool {
	return h.users.Load()&1 != 0
}

// Close forbids further calls and wakes the waiting ones. The last call under way closes the
// descriptor.
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
			return h.destroy()
		}
		h.wakeAll()
		return nil
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
