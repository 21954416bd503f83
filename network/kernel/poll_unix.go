//go:build unix

package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// pollNow returns the events that hold now, see poll(2).
func pollNow(fd int, want network.Events) (network.Events, error) {
	var mask int16
	if want&network.Readable != 0 {
		mask |= unix.POLLIN
	}
	if want&network.Writable != 0 {
		mask |= unix.POLLOUT
	}
	mask, err := sysPoll(fd, mask)
	var got network.Events
	if mask&unix.POLLIN != 0 {
		got |= network.Readable
	}
	if mask&unix.POLLOUT != 0 {
		got |= network.Writable
	}
	if mask&unix.POLLHUP != 0 {
		got |= network.Hangup
	}
	if mask&(unix.POLLERR|unix.POLLNVAL) != 0 {
		got |= network.Failed
	}
	return got, err
}

// peerEnded reports whether the peer has ended its direction, where poll(2) does not report
// POLLHUP for that.
func peerEnded(int) bool { return false }
