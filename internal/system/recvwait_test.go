package system

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/recvwait"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// observedSocket counts calls of RecvWait. They are those of its Socket if that has some, else of
// Recv. pausing, if not nil, is called when one begins to wait.
type observedSocket struct {
	network.Socket
	calls   int
	pausing func()
	thread  recvwait.Thread
}

func (o *observedSocket) RecvWait(bufs [][]byte, t recvwait.Thread) (network.Received, error) {
	o.calls++
	o.thread = t
	if s, ok := o.Socket.(recvwait.Socket); ok {
		return s.RecvWait(bufs, o)
	}
	return o.Recv(bufs, 0)
}

func (o *observedSocket) Pause() {
	o.thread.Pause()
	if o.pausing != nil {
		go o.pausing()
	}
}

func (o *observedSocket) Resume() { o.thread.Resume() }

// newObserved returns a thread of a guest beside another, which has a connection at fd.
func newObserved(t *testing.T, without ...string) (th *Thread, fd int32, o *observedSocket,
	peer net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := kernel.New(kernel.Config{}).Open(network.IPv4, network.Stream)
	if err != nil {
		t.Fatal(err)
	}
	s.Connect(netip.MustParseAddrPort(l.Addr().String()))
	if _, err := s.Wait(network.Writable, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := s.FinishConnect(); err != nil {
		t.Fatal(err)
	}
	if peer, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	g, err := New(context.Background(), Config{Without: append([]string{}, without...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	scheduler := sched.New()
	other := newTestGuest(t).NewThread(scheduler)
	t.Cleanup(other.Close)
	th = g.NewThread(scheduler)
	t.Cleanup(th.Close)
	o = &observedSocket{Socket: s}
	if fd, err = g.insertExclusive(newSocket(o)); err != nil {
		t.Fatal(err)
	}
	return th, fd, o, peer
}

func TestWhatWaitsWithinReceive(t *testing.T) {
	for _, tt := range []struct {
		name    string
		without []string
		flags   TransferFlags
		prepare func(th *Thread, fd int32, s *socket)
		calls   int
	}{
		{name: "blocking", calls: 1},
		{name: "all of it", flags: WaitAll, calls: 1},
		{name: "without the shortcut", without: []string{"receive-wait"}},
		{name: "without reading ahead", without: []string{"receive-ahead"}, calls: 1},
		{name: "peek", flags: Peek},
		{name: "do not wait", flags: DontWait},
		{name: "non-blocking", prepare: func(th *Thread, fd int32, _ *socket) {
			th.SetFlags(fd, wasi.FdflagNonblock)
		}},
		{name: "time-out", prepare: func(_ *Thread, _ int32, s *socket) {
			s.recvTimeout.Store(1e6)
		}},
		{name: "call that can be cancelled", prepare: func(th *Thread, _ int32, _ *socket) {
			ctx, cancel := context.WithCancel(context.Background())
			t.Cleanup(cancel)
			th.BeginCall(ctx)
		}},
		{name: "guest with another thread", prepare: func(th *Thread, _ int32, _ *socket) {
			th.NewThread(sched.New()).Close()
		}},
		{name: "about to read ahead", prepare: func(_ *Thread, _ int32, s *socket) {
			s.readAhead.fullReads = minFullReads
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th, fd, o, peer := newObserved(t, tt.without...)
			_, s, err := th.socketAt(fd)
			if err != nil {
				t.Fatal(err)
			}
			if tt.prepare != nil {
				tt.prepare(th, fd, s)
			}
			if _, err := peer.Write([]byte("a")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Wait(network.Readable, time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			r, err := th.Recv(fd, [][]byte{make([]byte, 1)}, tt.flags)
			if r.N != 1 || err != nil || o.calls != tt.calls {
				t.Errorf("got %d bytes, %v, by %d calls of RecvWait, want 1 by %d", r.N, err,
					o.calls, tt.calls)
			}
		})
	}
}

// TestFullReceivesWithinWaits has receives within the socket lead to one that reads ahead.
func TestFullReceivesWithinWaits(t *testing.T) {
	th, fd, o, peer := newObserved(t)
	if _, err := peer.Write(make([]byte, minFullReads+2)); err != nil {
		t.Fatal(err)
	}
	for range minFullReads + 2 {
		if r, err := th.Recv(fd, [][]byte{make([]byte, 1)}, 0); r.N != 1 || err != nil {
			t.Fatalf("got %d bytes, %v, want 1", r.N, err)
		}
	}
	if o.calls != minFullReads {
		t.Errorf("got %d calls of RecvWait, want %d", o.calls, minFullReads)
	}
}
