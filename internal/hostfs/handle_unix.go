//go:build unix

package hostfs

import "golang.org/x/sys/unix"

// A handle is a descriptor that its last user closes, so that its number cannot come to mean
// another file in the middle of a call.
type handle struct {
	uses
	fd int
}

func (h *handle) release() {
	if h.end() {
		unix.Close(h.fd)
	}
}

// Close closes the descriptor. Calls under way complete. It returns fs.ErrClosed if it was called
// before.
func (h *handle) Close() error {
	last, err := h.close()
	if last {
		err = unix.Close(h.fd)
	}
	return err
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
