package hostfs

import (
	"io/fs"
	"sync/atomic"
)

// uses counts the calls that use a file, so that the last of them can release its resources.
type uses struct {
	// state is twice the number of calls under way, plus 1 once the file is closed.
	state atomic.Int64
}

// acquire begins a call. It returns fs.ErrClosed after close.
func (u *uses) acquire() error {
	for {
		s := u.state.Load()
		if s&1 != 0 {
			return fs.ErrClosed
		}
		if u.state.CompareAndSwap(s, s+2) {
			return nil
		}
	}
}

// end ends a call. It reports whether the file is closed and this was the last call.
func (u *uses) end() (last bool) { return u.state.Add(-2) == 1 }

// close forbids further calls. It reports whether no call is under way, and returns fs.ErrClosed if
// it was called before.
func (u *uses) close() (last bool, err error) {
	for {
		s := u.state.Load()
		if s&1 != 0 {
			return false, fs.ErrClosed
		}
		if u.state.CompareAndSwap(s, s|1) {
			return s == 0, nil
		}
	}
}
