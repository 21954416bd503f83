package network

// Events is a set of conditions of a descriptor that a caller can wait for. They are those of
// poll(2), which names them POLLIN, POLLOUT, POLLHUP and POLLERR.
type Events uint8

const (
	// Readable holds when a read, receive or accept does not block.
	Readable Events = 1 << iota
	// Writable holds when a write or send does not block, or when a connect has ended.
	Writable
	// Hangup holds when both directions have ended. It is reported even if it is not wanted.
	Hangup
	// Failed holds when an error is pending. It is reported even if it is not wanted.
	Failed
)

// Pollable is a descriptor that reports its readiness.
//
// Its operations never block: they return syscall.EAGAIN instead, and the caller waits and tries
// again. Readiness is a hint, since another thread may take the data between Wait and the next
// attempt. So every blocking call is this loop:
//
//	func recv(s network.Socket, b [][]byte, end time.Time) (network.Received, error) {
//		for {
//			r, err := s.Recv(b, 0)
//			if !errors.Is(err, syscall.EAGAIN) {
//				return r, err
//			}
//			if _, err := s.Wait(network.Readable, end); err != nil {
//				return network.Received{}, err
//			}
//		}
//	}
//
// All methods may be called from several goroutines at once.
type Pollable interface {
	// Poll returns, without blocking, those of the wanted events that hold now, and Hangup and
	// Failed.
	Poll(want Events) (Events, error)

	// Readiness returns the way to wait for a change of the result of Poll. The caller
	// may ask once and keep the way until the descriptor is closed.
	Readiness() Readiness

	// Available returns the number of bytes that can be read now, or 0 if it is not known.
	Available() (int, error)
}

// Readiness is the way to wait for a Pollable together with others. A descriptor of the operating
// system sets Control, any other sets Notify. One that sets both has data that the system does not
// know of, and Notify tells of those. The zero value belongs to a descriptor that is always ready,
// such as a regular file.
type Readiness struct {
	// Control calls f with the handle of the operating system to wait on, which stays open until f
	// returns. After the descriptor is closed, Control returns an error without calling f.
	Control func(f func(fd uintptr)) error

	// Notify arranges calls of wake, from any goroutine: one if an event of want, Hangup or Failed
	// holds already, and one each time such an event begins to hold, until stop is called. Close
	// counts as such an event, and on a closed descriptor wake is called once. Notify may call wake
	// before it returns. Further calls do no harm, even after stop, since the caller polls after
	// each; nor do further calls of stop. The caller holds no lock that wake takes while it calls
	// Notify, Poll or stop, and wake does not block, so wake may be called with a lock of the
	// descriptor held:
	//
	//	func (q *queue) Readiness() network.Readiness {
	//		return network.Readiness{Notify: func(_ network.Events, wake func()) (stop func()) {
	//			q.mu.Lock()
	//			defer q.mu.Unlock()
	//			id := new(int) // a key that no other call has
	//			q.wakes[id] = wake
	//			if len(q.messages) > 0 {
	//				wake()
	//			}
	//			return func() { q.mu.Lock(); defer q.mu.Unlock(); delete(q.wakes, id) }
	//		}}
	//	}
	//
	// Each method that makes an event hold calls the functions in q.wakes.
	Notify func(want Events, wake func()) (stop func())

	// Resume is Notify for events that the system tells and that Poll holds back, as a limit of
	// bytes may: it arranges a call of wake each time that such an event begins to hold. Only a
	// caller to which the system tells each event once (EPOLLET of epoll(7)) needs it. It is nil if
	// Poll holds nothing back.
	Resume func(want Events, wake func()) (stop func())
}
