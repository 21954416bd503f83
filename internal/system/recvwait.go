package system

import "github.com/wasport/wasport/network"

// mayWaitWithin reports whether a receive that has to wait may do so within the socket, which takes
// fewer system calls. It may not if it has to end at a time-out or with the guest's call, if
// another thread of the guest may use the socket, or if the thread is to look before it waits.
func (t *Thread) mayWaitWithin(d *descriptor, s *socket) bool {
	return s.waiting != nil && !d.nonblock.Load() && s.recvTimeout.Load() == 0 &&
		t.call.done == nil && !t.table.multiThreaded.Load() && !t.schedThread.MayBusyPoll()
}

// recvWait is recv of a socket for which mayWaitWithin is true. It does not hold readAhead.mu while
// it waits: to close the descriptor takes it.
func (t *Thread) recvWait(d *descriptor, s *socket, bufs [][]byte) (network.Received, error) {
	a := &s.readAhead
	wanted := totalLen(bufs)
	a.mu.Lock()
	direct := !a.enabled || a.buf == nil && a.readsDirectly(wanted)
	a.mu.Unlock()
	if !direct {
		return t.recvAhead(s, bufs, 0)
	}
	t.endSendRun()
	d.again.Add(1) // the wait, if there is one, begins with an EAGAIN
	r, err := s.waiting.RecvWait(bufs, &t.schedThread)
	if err != nil {
		return r, t.endReasonIfFailed(err)
	}
	a.mu.Lock()
	a.noteDirect(r.N, wanted)
	a.mu.Unlock()
	return r, nil
}
