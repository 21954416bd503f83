//go:build unix

package hostfs

import (
	"io/fs"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A handle is a descriptor that its last user closes, so that its number cannot come to mean
// another file in the middle of a call.
type handle struct {
	fd int
	// state is twice the number of calls under way, plus 1 once the handle is closed.
	state atomic.Int64
}

// acquire keeps the descriptor open until release. It returns fs.ErrClosed after Close.
func (h *handle) acquire() error {
	for {
		s := h.state.Load()
		if s&1 != 0 {
			return fs.ErrClosed
		}
		if h.state.CompareAndSwap(s, s+2) {
			return nil
		}
	}
}

func (h *handle) release() {
	if h.state.Add(-2) == 1 {
		unix.Close(h.fd)
	}
}

// Close closes the descriptor. Calls under way complete. It returns fs.ErrClosed if it was called
// before.
func (h *handle) Close() error {
	for {
		s := h.state.Load()
		if s&1 != 0 {
			return fs.ErrClosed
		}
		if !h.state.CompareAndSwap(s, s|1) {
			continue
		}
		if s == 0 {
			return unix.Close(h.fd)
		}
		return nil
	}
}

// control implements network.Readiness.Control.
func (h *handle) control(f func(fd uintptr)) error {
	if err := h.acquire(); err != nil {
		return err
	}
	defer h.release()
	f(uintptr(h.fd))
	return nil
}

// retry repeats a system call that a signal has interrupted (signal(7)).
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

func retryErr(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
