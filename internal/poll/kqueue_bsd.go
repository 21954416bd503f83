//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package poll

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Set waits for the items of one goroutine at a time. Others may call Wake and Close.
type Set = edgeSet

// New makes an empty set. It must be closed.
func New() (*Set, error) { return newEdgeSet(&processHub) }

// processHub has the only kqueue of the process, besides that of Go's poller.
var processHub = hub{open: openKqueue}

// maxKevents is how many events one kevent(2) returns.
const maxKevents = 128

// kqueue is an edgeQueue by kqueue(2).
type kqueue struct {
	fd     int
	waker  waker
	events [maxKevents]unix.Kevent_t
	edges  []edge
}

func openKqueue() (edgeQueue, error) {
	syscall.ForkLock.RLock()
	fd, err := unix.Kqueue()
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	w, err := newWaker()
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	q := &kqueue{fd: fd, waker: w}
	if err := q.add(w.out, readFilter); err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

// change makes all changes of a list, or returns the error of the first that fails: without room
// for events, kevent(2) reports it by errno.
func (q *kqueue) change(list []kevent) error {
	for _, k := range list {
		filter := unix.EVFILT_READ
		if k.filter == writeFilter {
			filter = unix.EVFILT_WRITE
		}
		var changes [1]unix.Kevent_t
		unix.SetKevent(&changes[0], k.fd, filter, k.flags)
		for {
			_, err := unix.Kevent(q.fd, changes[:], nil, nil)
			if err == nil {
				break
			}
			if err != unix.EINTR {
				return err
			}
		}
	}
	return nil
}

func (q *kqueue) add(fd int, f filters) error {
	return q.change(changesTo(fd, f, keventAdd|keventClear))
}

// remove ignores ENOENT and EBADF: a closed descriptor is out of the kqueue already.
func (q *kqueue) remove(fd int) {
	for _, f := range [...]filters{readFilter, writeFilter} {
		q.change(changesTo(fd, f, keventDelete))
	}
}

func (q *kqueue) wait() ([]edge, bool) {
	for {
		n, err := unix.Kevent(q.fd, nil, q.events[:], nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, false
		}
		q.edges = q.edges[:0]
		for i := range q.events[:n] {
			e := &q.events[i]
			if int(e.Ident) == q.waker.out {
				return nil, false
			}
			filter := readFilter
			if int(e.Filter) == unix.EVFILT_WRITE {
				filter = writeFilter
			}
			q.edges = append(q.edges, edgeOf(kevent{int(e.Ident), filter, int(e.Flags)}))
		}
		return q.edges, true
	}
}

func (q *kqueue) stop() { q.waker.wake() }

func (q *kqueue) close() {
	unix.Close(q.fd)
	q.waker.close()
}
