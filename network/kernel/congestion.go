package kernel

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// congestion waits out ENOBUFS of a datagram socket: the BSDs have it while the queue of an
// interface is full, where Linux drops the datagram or waits (send(2) of both), and they report the
// socket as writable meanwhile. Send returns EAGAIN instead, and Wait pauses, so that deadlines and
// Close hold. After maxRefusals in a row, which take about 0.1 s, the caller gets ENOBUFS.
type congestion struct {
	refusals atomic.Int32
}

const (
	maxRefusals     = 100
	congestionPause = time.Millisecond
)

// outcome returns the error of Send for one of the system's.
func (c *congestion) outcome(err error) error {
	if err == syscall.ENOBUFS && c.refusals.Add(1) <= maxRefusals {
		return syscall.EAGAIN
	}
	if c.refusals.Load() != 0 && err != syscall.EAGAIN {
		c.refusals.Store(0)
	}
	return err
}

// pause blocks for a moment if the last Send met a full queue. It returns os.ErrDeadlineExceeded
// after the deadline; the zero Time is none.
func (c *congestion) pause(deadline time.Time) error {
	if c.refusals.Load() == 0 {
		return nil
	}
	d := congestionPause
	if !deadline.IsZero() {
		d = min(d, time.Until(deadline))
	}
	if d <= 0 {
		return os.ErrDeadlineExceeded
	}
	time.Sleep(d)
	return nil
}
