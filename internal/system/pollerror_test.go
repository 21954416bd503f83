package system

import (
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// refusedSocket fails once, by PendingError, without the host telling.
type refusedSocket struct {
	network.Socket
	failed bool
}

func (s *refusedSocket) Option(o network.Option) (int64, error) {
	if o != network.PendingError || s.failed {
		return s.Socket.Option(o)
	}
	s.failed = true
	return int64(syscall.ECONNREFUSED), nil
}

// refusingNetwork makes such sockets.
type refusingNetwork struct{ network.Network }

func (n refusingNetwork) Open(f network.Family, t network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, t)
	return &refusedSocket{Socket: s}, err
}

// TestPollReportsKeptError polls a socket with an error that another call has taken from the host's
// socket since the last poll, until the guest takes the error.
func TestPollReportsKeptError(t *testing.T) {
	p := newPollTest(t, kernel.New(kernel.Config{}))
	quiet, _ := p.open()
	fd, _ := p.open()
	_, s, err := p.socketAt(fd)
	if err != nil {
		t.Fatal(err)
	}
	in := append(subscribe(quiet, fd), Subscription{Kind: Failing, FD: fd}, Subscription{})
	poll := func(what string, same, unchanged bool, events int) {
		t.Helper()
		for i := range in {
			in[i].Same = same
		}
		got, err := p.Poll(in, unchanged)
		if err != nil || len(got) != events+1 {
			t.Errorf("%s: got %v, %v, want %d events and the time", what, got, err, events)
			return
		}
		for _, e := range got[:events] {
			if e.Err != syscall.ECONNREFUSED || e.Hangup {
				t.Errorf("%s: got %+v, want %v", what, e, syscall.ECONNREFUSED)
			}
		}
	}
	poll("at first", false, false, 0)
	s.keepError(syscall.ECONNREFUSED)
	poll("unchanged", true, true, 2)
	poll("again", true, true, 2)
	poll("kept items", true, false, 2)
	poll("other items", false, false, 2)
	if got := s.takeError(); got != syscall.ECONNREFUSED {
		t.Errorf("got %v, want %v", got, syscall.ECONNREFUSED)
	}
	poll("taken", true, true, 0)
	s.keepError(syscall.ECONNREFUSED)
	if err := p.CloseFD(fd); err != nil {
		t.Fatal(err)
	}
	if n := p.table.failedSockets.Load(); n != 0 {
		t.Errorf("closed: got %d failed sockets, want 0", n)
	}
}

// TestPollWakesForErrorThatOtherThreadFinds waits for a socket while the poll of another thread
// takes its error from the host's socket, which then has none to tell.
func TestPollWakesForErrorThatOtherThreadFinds(t *testing.T) {
	p := newPollTest(t, refusingNetwork{kernel.New(kernel.Config{})})
	fd, _ := p.open()
	waits := p.waits()
	in := subscribe(fd)
	wait := another(p.Thread, p.scheduler, func(th *Thread) error {
		<-waits
		d, err := th.table.lookup(fd)
		if err != nil {
			return err
		}
		th.polls().add(poll.Item{P: d.object, Got: network.Failed}, d, 0)
		if got := th.eventOf(in, 0); got.Err != syscall.ECONNREFUSED {
			t.Errorf("got %+v, want %v", got, syscall.ECONNREFUSED)
		}
		return nil
	})
	if got, err := p.Poll(in, false); err != nil || len(got) != 1 ||
		got[0].Err != syscall.ECONNREFUSED {
		t.Errorf("got %v, %v, want %v", got, err, syscall.ECONNREFUSED)
	}
	if err := wait(); err != nil {
		t.Fatal(err)
	}
}
