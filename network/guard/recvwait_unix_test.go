//go:build unix

package guard_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/recvwait"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// onPause is the thread of a RecvWait. It is called when the thread begins to wait.
type onPause func()

func (f onPause) Pause() { f() }
func (onPause) Resume()  {}

// TestRecvWaitIsCounted receives within a wait, while bytes are limited, are not, and begin to be.
func TestRecvWaitIsCounted(t *testing.T) {
	n, limits := limited(t, policy.Limits{RecvBytesPerSecond: 1})
	s, send := openReceiver(t, n, network.Stream)
	buf := [][]byte{make([]byte, 1000)}
	waits := 0
	receive := func(onPause onPause) (int, error) {
		r, err := s.(recvwait.Socket).RecvWait(buf, onPause)
		return r.N, err
	}
	waitInVain := func() {
		_, err := s.Wait(network.Readable, time.Now().Add(time.Millisecond))
		wantErr(t, "wait", err, os.ErrDeadlineExceeded)
	}

	waitInVain()
	_, err := receive(func() { waits++ })
	wantErr(t, "under a limit", err, syscall.EAGAIN)

	n.SetPolicy(policy.New(limits.Rules(), policy.Limits{}))
	if size, err := receive(func() { waits++; send(300) }); size != 300 || err != nil {
		t.Errorf("without a limit: got %d bytes, %v, want 300", size, err)
	}
	size, err := receive(func() { waits++; n.SetPolicy(limits); send(200) })
	if size != 200 || err != nil {
		t.Errorf("as a limit begins: got %d bytes, %v, want 200", size, err)
	}
	send(1)
	_, err = s.Recv(buf, 0)
	wantErr(t, "over the limit", err, syscall.EAGAIN)
	if got := n.Counters().ReceivedBytes; waits != 2 || got != 500 {
		t.Errorf("got %d waits and %d bytes counted, want 2 and 500", waits, got)
	}
}
