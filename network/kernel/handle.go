package kernel

import (
	"net"
	"sync/atomic"

	"github.com/wasport/wasport/network"
)

// handle is a descriptor of the kernel that is closed when its last user leaves: a system call
// never meets a number that has meanwhile been given to something else.
type handle struct {
	fd    descriptor
	users atomic.Int32 // twice the number of calls under way, plus 1 once closed

	mayLinger atomic.Bool // a time to linger was set once
	mayReset  atomic.Bool // or no time at all
	// somebody else has the socket too, whose options must stay; no connection, which would linger
	shared bool
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
		h.end()
	}
}

func (h *handle) closed() bool {
	return h.users.Load()&1 != 0
}

// Close forbids further calls and wakes those that wait. The last one to leave closes the
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
			return h.end()
		}
		h.unpark()
		return nil
	}
}

// end closes the descriptor without waiting for anybody. A time to linger must go first: for that
// long Linux keeps whoever closes a socket, non-blocking or not, and nothing ends it; Windows
// refuses to close it. All of them go on sending by themselves.
func (h *handle) end() error {
	if h.mayLinger.Load() && !h.shared {
		o := options[network.Linger]
		if seconds, err := getLinger(h.fd, o.level, o.name); err == nil && seconds > 0 {
			setLinger(h.fd, o.level, o.name, -1)
		}
	}
	return h.shut()
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
