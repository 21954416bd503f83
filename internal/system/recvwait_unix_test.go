//go:build unix

package system

import (
	"errors"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

// TestKillEndsWaitWithinReceive kills the guest while the receive waits.
func TestKillEndsWaitWithinReceive(t *testing.T) {
	reason := errors.New("reason")
	th, fd, o, _ := newObserved(t)
	o.pausing = func() { th.Kill(reason) }
	o.Wait(network.Readable, time.Now().Add(time.Millisecond))
	if _, err := th.Recv(fd, [][]byte{make([]byte, 1)}, 0); !errors.Is(err, reason) {
		t.Errorf("got %v, want %v", err, reason)
	}
	if o.calls != 1 {
		t.Errorf("got %d calls of RecvWait, want 1", o.calls)
	}
}

// TestReceiveThatFindsDataIsNoEdge receives what an epoll has told of, in pieces, with and without
// receives that may wait within. The edge comes again once a receive has found nothing.
func TestReceiveThatFindsDataIsNoEdge(t *testing.T) {
	for _, without := range [][]string{nil, {"receive-wait"}} {
		th, fd, o, peer := newObserved(t, without...)
		ep, err := th.EpollCreate()
		if err != nil {
			t.Fatal(err)
		}
		if err := th.EpollControl(ep, EpollAdd, fd, EpollIn|EpollEdge, 0); err != nil {
			t.Fatal(err)
		}
		peer.Write(make([]byte, 10))
		if _, err := o.Wait(network.Readable, time.Time{}); err != nil {
			t.Fatal(err)
		}
		wait := func(want int) {
			t.Helper()
			if got, err := th.EpollWait(ep, 10, 0); len(got) != want || err != nil {
				t.Errorf("without %v: got %v, %v, want %d events", without, got, err, want)
			}
		}
		wait(1)
		for range 3 {
			if _, err := th.Recv(fd, buf(make([]byte, 1)), 0); err != nil {
				t.Fatal(err)
			}
			wait(0)
		}
	}
}
