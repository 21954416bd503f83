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
	t.waitsWithin = d
	r, err := s.waiting.RecvWait(bufs, (*withinReceive)(t))
	t.waitsWithin = nil
	if err != nil {
		return r, t.endReasonIfFailed(err)
	}
	a.mu.Lock()
	a.noteDirect(r.N, wanted)
	a.mu.Unlock()
	return r, nil
}

// withinReceive is a thread that waits within a receive from waitsWithin, if it has to.
type withinReceive Thread

// Pause begins a wait. The receive has found nothing, as one that returns EAGAIN.
func (w *withinReceive) Pause() {
	t := (*Thread)(w)
	t.endSendRun()
	t.waitsWithin.again.Add(1)
	t.schedThread.Pause()
}

// Resume ends a wait.
func (w *withinReceive) Resume() { w.schedThread.Resume() }
