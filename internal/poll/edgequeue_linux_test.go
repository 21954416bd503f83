package poll

import (
	"golang.org/x/sys/unix"
)

// NewEdgeSet makes an edgeSet with an epoll(7) in its edge-triggered mode in place of a kqueue(2):
// EPOLLET has one event for each change, as EV_CLEAR has.
func NewEdgeSet() (*edgeSet, error) { return newEdgeSet(&epollHub) }

var epollHub = hub{open: func() (edgeQueue, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	q := &edgeEpoll{fd: fd}
	if q.waker, err = newWaker(); err == nil {
		err = q.add(q.waker.out, readFilter)
	}
	return q, err
}}

type edgeEpoll struct {
	fd     int
	waker  waker
	events [8]unix.EpollEvent
	edges  []edge
}

func (q *edgeEpoll) add(fd int, f filters) error {
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	if f&writeFilter != 0 {
		e.Events |= unix.EPOLLOUT
	}
	err := unix.EpollCtl(q.fd, unix.EPOLL_CTL_ADD, fd, &e)
	if err == unix.EEXIST {
		err = unix.EpollCtl(q.fd, unix.EPOLL_CTL_MOD, fd, &e)
	}
	return err
}

func (q *edgeEpoll) remove(fd int) { unix.EpollCtl(q.fd, unix.EPOLL_CTL_DEL, fd, nil) }

func (q *edgeEpoll) wait() ([]edge, bool) {
	for {
		n, err := unix.EpollWait(q.fd, q.events[:], -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, false
		}
		q.edges = q.edges[:0]
		for _, e := range q.events[:n] {
			if int(e.Fd) == q.waker.out {
				return nil, false
			}
			var flags int
			if e.Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
				flags = keventEOF
			}
			f := readFilter
			if e.Events&unix.EPOLLIN == 0 && e.Events&unix.EPOLLOUT != 0 {
				f = writeFilter
			} else if e.Events&unix.EPOLLOUT != 0 {
				f |= writeFilter
			}
			q.edges = append(q.edges, edgeOf(kevent{int(e.Fd), f, flags}))
		}
		return q.edges, true
	}
}

func (q *edgeEpoll) stop() { q.waker.wake() }

func (q *edgeEpoll) close() {
	unix.Close(q.fd)
	q.waker.close()
}
