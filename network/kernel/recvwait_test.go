//go:build unix

package kernel_test

import (
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/recvwait"
	"github.com/wasport/wasport/network"
)

// pausing is the thread of a RecvWait. It calls onPause, if that is not nil, in a goroutine.
type pausing struct {
	onPause         func()
	pauses, resumes int
}

func (p *pausing) Pause() {
	if p.pauses++; p.onPause != nil {
		go p.onPause()
	}
}

func (p *pausing) Resume() { p.resumes++ }

func (p *pausing) wantWaits(t testing.TB, want int) {
	t.Helper()
	if p.pauses != want || p.resumes != want {
		t.Errorf("got %d pauses and %d resumes, want %d each", p.pauses, p.resumes, want)
	}
}

type waitingSocket interface {
	network.Socket
	recvwait.Socket
}

// waitingPair is pair after the server has waited in vain. Its next RecvWait waits.
func waitingPair(t testing.TB, family network.Family, at netip.AddrPort) (client network.Socket,
	server waitingSocket) {
	t.Helper()
	client, s := pair(t, family, at)
	server = s.(waitingSocket)
	waitInVain(t, server)
	return client, server
}

func waitInVain(t testing.TB, s network.Socket) {
	t.Helper()
	_, err := s.Wait(network.Readable, time.Now().Add(time.Millisecond))
	wantErr(t, "wait", err, os.ErrDeadlineExceeded)
}

func TestRecvWait(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		client, server := waitingPair(t, family, at)
		buf := one(make([]byte, 9))
		receive := func(p *pausing, want string, waits int) {
			t.Helper()
			r, err := server.RecvWait(buf, p)
			if got := string(buf[0][:r.N]); err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			p.wantWaits(t, waits)
		}
		send := func(text string) func() {
			return func() { client.Send(one([]byte(text)), netip.AddrPort{}) }
		}

		// The deadline of the wait before has passed, and is not that of this call.
		receive(&pausing{onPause: send("a")}, "a", 1)
		receive(&pausing{onPause: send("b")}, "b", 1)
		send("c")()
		for got := network.Events(0); got == 0; { // a Wait would note that it ended at once
			got = must[network.Events](t)(server.Poll(network.Readable))
		}
		receive(&pausing{}, "c", 0)
		_, err := server.RecvWait(buf, &pausing{})
		wantErr(t, "after a receive that did not wait", err, syscall.EAGAIN)
		waitInVain(t, server)
		receive(&pausing{onPause: func() { client.Close() }}, "", 1)
	})
}

// TestCloseEndsRecvWait closes a socket that waits, and one that has begun to be closed.
func TestCloseEndsRecvWait(t *testing.T) {
	_, server := waitingPair(t, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	p := &pausing{onPause: func() { server.Close() }}
	_, err := server.RecvWait(one(make([]byte, 1)), p)
	wantErr(t, "closed in the wait", err, errClosed)
	p.wantWaits(t, 1)
	_, err = server.RecvWait(one(make([]byte, 1)), p)
	wantErr(t, "closed before", err, errClosed)
	p.wantWaits(t, 1)
}

// TestRecvWaitBesideAnother receives while another call waits in Go's poller, which takes one.
func TestRecvWaitBesideAnother(t *testing.T) {
	client, server := waitingPair(t, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	done := make(chan error)
	inWait := make(chan struct{})
	go func() {
		_, err := server.RecvWait(one(make([]byte, 1)),
			&pausing{onPause: func() { close(inWait) }})
		done <- err
	}()
	<-inWait
	p := new(pausing)
	_, err := server.RecvWait(one(make([]byte, 1)), p)
	wantErr(t, "beside a wait", err, syscall.EAGAIN)
	p.wantWaits(t, 0)
	check(t, client.Close())
	check(t, <-done)
}
