package system

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
)

// SendOn writes b to a descriptor on a goroutine of its own, in pieces, as the descriptor accepts
// them, and then calls done with the result on that goroutine. Bytes for a writer of the embedder
// count as written once the writer has taken them. The goroutine waits like a blocked thread. It
// ends with the guest or once the descriptor is closed, with an error for done. Its processor time
// is charged to the guest. b must not change until then.
func (t *Thread) SendOn(fd int32, b []byte, done func(error)) error {
	d, err := t.table.lookup(fd)
	if err != nil {
		return err
	}
	go func() {
		err := error(syscall.EIO) // if code of the embedder panics
		defer outside.Protect("a write", func() { done(err) }, t.KillForPanic)
		outside.Protect("a write", func() {
			t.elsewhere.Add(int64(t.schedThread.Measure(func() { err = t.sendAll(d, b) })))
		}, t.KillForPanic)
	}()
	return nil
}

// sendAll is used by goroutines that are no threads.
func (g *Guest) sendAll(d *descriptor, b []byte) error {
	wait, stop, err := g.waitWritable(d)
	if err != nil {
		return err
	}
	defer stop()
	bufs := [1][]byte{b}
	for len(bufs[0]) > 0 {
		n, err := g.sendSome(d, bufs[:])
		if err == syscall.EAGAIN {
			n, err = 0, wait()
		}
		if err != nil {
			return err
		}
		bufs[0] = bufs[0][n:]
	}
	if s, ok := d.object.(*sink); ok {
		return s.awaitDrained(func(idle <-chan struct{}) error {
			select {
			case <-idle:
				return nil
			case <-g.ctx.Done():
				return g.Err()
			}
		})
	}
	return nil
}

// Flushed reports whether all bytes of earlier writes have been taken, by the system or by a writer
// of the embedder's, whose error it returns.
func (t *Thread) Flushed(fd int32) (bool, error) {
	t.endSendRun()
	d, err := t.table.lookup(fd)
	if err != nil {
		return true, err
	}
	if s, ok := d.object.(*sink); ok {
		return s.drained()
	}
	return true, nil
}

func (g *Guest) sendSome(d *descriptor, bufs [][]byte) (int, error) {
	if err := g.Err(); err != nil {
		return 0, err
	}
	if s, ok := d.asSocket(); ok {
		if s.pendingError.Load() != 0 {
			return 0, s.takeError()
		}
		return s.Send(bufs, netip.AddrPort{})
	}
	return d.write(bufs)
}

// waitWritable returns a function that waits until the descriptor is writable, closed, or the guest
// has ended.
func (g *Guest) waitWritable(d *descriptor) (wait func() error, stop func(), err error) {
	if s, ok := d.asSocket(); ok {
		return func() error {
			_, err := s.Wait(network.Writable, time.Time{})
			return g.endReasonOr(err)
		}, func() {}, nil
	}
	set, err := poll.New()
	if err != nil {
		return nil, nil, err
	}
	cancel := context.AfterFunc(g.ctx, set.Wake)
	wait = func() error {
		item := [1]poll.Item{{P: d.object, Want: network.Writable}}
		if _, err := set.Wait(item[:], true, time.Time{}); err != nil {
			return g.endReasonOr(err)
		}
		return g.endReasonOr(item[0].Err)
	}
	return wait, func() { cancel(); set.Close() }, nil
}
