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
