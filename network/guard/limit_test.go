package guard_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// limited returns a network that allows everything on loopback, within limits.
func limited(t testing.TB, l policy.Limits) (*guard.Network, *policy.Policy) {
	t.Helper()
	p := policy.New(testutil.Policy(t, "allow connect loopback", "allow listen loopback",
		"allow resolve *").Rules(), l)
	return guard.New(kernel.New(kernel.Config{Hosts: map[string][]netip.Addr{
		"here.test": {netip.MustParseAddr("127.0.0.1")},
	}}), p, guard.Options{}), p
}

func TestSocketLimit(t *testing.T) {
	n, _ := limited(t, policy.Limits{Sockets: 3})
	l := open(t, n, network.IPv4, network.Stream)
	must(t, l.Bind(here))
	must(t, l.Listen(5))
	two := open(t, n, network.IPv4, network.Stream)
	three := open(t, n, network.IPv4, network.Datagram)
	_, err := n.Open(network.IPv4, network.Stream)
	wantErr(t, "a fourth", err, syscall.EMFILE)
	must(t, connect(t, two, local(t, l)))
	_, _, err = l.Accept()
	wantErr(t, "accept a fourth", err, syscall.EMFILE)

	must(t, three.Close())
	wantErr(t, "close twice", three.Close(), net.ErrClosed)
	c := accept(t, l, time.Now().Add(testTimeout))
	if c == nil {
		t.Fatal("got no connection after the limit, want it kept in the queue")
	}
	_, err = n.Open(network.IPv4, network.Stream)
	wantErr(t, "a fourth", err, syscall.EMFILE)
	must(t, c.Close())
	_, _, err = l.Accept()
	wantErr(t, "accept nothing", err, syscall.EAGAIN)
	if _, err := n.Open(network.AnyFamily, network.Stream); err != syscall.EAFNOSUPPORT {
		t.Error(err)
	}
	if got := n.Counters(); got.OpenSockets != 2 || got.Limited != 3 {
		t.Errorf("got %d open and %d refused, want 2 and 3", got.OpenSockets, got.Limited)
	}
	n.SetPolicy(nil)
	for range 10 {
		open(t, n, network.IPv4, network.Stream)
	}
}

func TestConnectLimit(t *testing.T) {
	at, _ := listener(t, "127.0.0.1:0")
	n, _ := limited(t, policy.Limits{ConnectsPerSecond: 2})
	for _, typ := range []network.Type{network.Stream, network.Datagram} {
		s := open(t, n, network.IPv4, typ)
		must(t, connect(t, s, at))
		if typ == network.Stream { // to ask again is not to connect again
			for range 5 {
				wantErr(t, "connect again", s.Connect(at), syscall.EISCONN)
			}
		}
	}
	s := open(t, n, network.IPv4, network.Stream)
	err := s.Connect(at)
	// a third is possible if the first two took half a second
	for began := time.Now(); err == nil && time.Since(began) < testTimeout; {
		s = open(t, n, network.IPv4, network.Stream)
		err = s.Connect(at)
	}
	wantErr(t, "one more", err, syscall.EAGAIN)
	wantErr(t, "what is not allowed", s.Connect(netip.MustParseAddrPort("192.0.2.1:1")),
		syscall.EACCES)
	deadline := time.Now().Add(testTimeout)
	for err == syscall.EAGAIN && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
		err = connect(t, s, at)
	}
	must(t, err)
}

func TestLookupLimit(t *testing.T) {
	n, _ := limited(t, policy.Limits{LookupsPerSecond: 4})
	began := time.Now()
	for range 6 {
		if _, err := n.LookupAddrs(t.Context(), network.IPv4, "here.test"); err != nil {
			t.Fatal(err)
		}
	}
	// 2 of them had to wait for a quarter of a second
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("six lookups: got %v, want the time of the limit", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.LookupAddrs(ctx, network.IPv4, "here.test"); err == nil {
		t.Error("got an answer, want the end of the context")
	}
	if got := n.Counters().Lookups; got != 6 {
		t.Errorf("got %d lookups counted, want those that were passed on", got)
	}
}

// streams returns both ends of a connection between two guests. One of them is limited.
func streams(t testing.TB, n network.Network) (limited, free network.Socket) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	limited = open(t, n, network.IPv4, network.Stream)
	if err := limited.Connect(l.Addr().(*net.TCPAddr).AddrPort()); err != nil &&
		err != syscall.EINPROGRESS {
		t.Fatal(err)
	}
	c, err := l.Accept()
	must(t, err)
	defer c.Close()
	free, err = kernel.Adopt(c.(*net.TCPConn))
	must(t, err)
	t.Cleanup(func() { free.Close() })
	if _, err := limited.Wait(network.Writable, time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	must(t, limited.FinishConnect())
	return limited, free
}

// sendAll sends n bytes as a guest with a blocking socket does.
func sendAll(s network.Socket, n int) error {
	b := make([]byte, 64<<10)
	for n > 0 {
		sent, err := s.Send([][]byte{b[:min(n, len(b))]}, nobody)
		n -= sent
		if err == syscall.EAGAIN {
			_, err = s.Wait(network.Writable, time.Now().Add(testTimeout))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func recvAll(s network.Socket, n int) error {
	b := make([]byte, 64<<10)
	for n > 0 {
		r, err := s.Recv([][]byte{b[:min(n, 100)], b}, 0)
		n -= r.N
		if err == syscall.EAGAIN {
			_, err = s.Wait(network.Readable, time.Now().Add(testTimeout))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestByteLimits sends twice the initial budget, so that the second half waits for nearly a second.
func TestByteLimits(t *testing.T) {
	const rate = 200_000
	for name, l := range map[string]policy.Limits{
		"send": {SendBytesPerSecond: rate},
		"recv": {RecvBytesPerSecond: rate},
		"both": {SendBytesPerSecond: rate, RecvBytesPerSecond: rate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, _ := limited(t, l)
			s, peer := streams(t, n)
			var wg sync.WaitGroup
			defer wg.Wait()
			began := time.Now()
			wg.Go(func() {
				if err := sendAll(s, 2*rate); err != nil {
					t.Errorf("send: got %v, want no error", err)
				}
				if took := time.Since(began); l.SendBytesPerSecond != 0 &&
					took < 500*time.Millisecond {
					t.Errorf("sending: got %v, want the time of the limit", took)
				}
			})
			wg.Go(func() {
				if err := recvAll(peer, 2*rate); err != nil {
					t.Error(err)
				}
				if err := sendAll(peer, 2*rate); err != nil {
					t.Error(err)
				}
			})
			if err := recvAll(s, 2*rate); err != nil {
				t.Errorf("receive: got %v, want no error", err)
			}
			if took := time.Since(began); took < 500*time.Millisecond {
				t.Errorf("receiving: got %v, want the time of the limit", took)
			}
			wg.Wait()
			if got := n.Counters(); got.ReceivedBytes < 2*rate || got.SentBytes != 2*rate {
				t.Errorf("got %d bytes sent and %d received, want %d", got.SentBytes,
					got.ReceivedBytes, 2*rate)
			}
		})
	}
}

// overdraw uses up the budget of a direction, and nearly as much again.
func overdraw(t testing.TB, s, peer network.Socket, e network.Events, n int) {
	t.Helper()
	if e == network.Readable {
		must(t, sendAll(peer, 2*n))
	}
	for _, b := range [][]byte{make([]byte, n-10), make([]byte, n)} {
		var err error
		if e == network.Writable {
			_, err = s.Send([][]byte{b}, nobody)
		} else {
			_, err = s.Recv([][]byte{b}, 0)
		}
		must(t, err)
	}
}

// tryOnce sends or receives once.
func tryOnce(s network.Socket, e network.Events) error {
	b := [][]byte{make([]byte, 8)}
	if e == network.Writable {
		_, err := s.Send(b, nobody)
		return err
	}
	_, err := s.Recv(b, 0)
	return err
}

// TestReadinessOverByteLimit overdraws a limit. The socket is then not ready, however it is asked,
// until the debt is repaid.
func TestReadinessOverByteLimit(t *testing.T) {
	for e, name := range map[network.Events]string{network.Writable: "send",
		network.Readable: "recv"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const rate = 1000
			n, p := limited(t, policy.Limits{SendBytesPerSecond: rate, RecvBytesPerSecond: rate})
			s, peer := streams(t, n)
			overdraw(t, s, peer, e, rate)
			both := network.Readable | network.Writable
			if got, err := s.Poll(e); got != 0 || err != nil {
				t.Errorf("poll: got %b, %v, want no event", got, err)
			}
			if got, err := s.Wait(e, time.Now().Add(time.Millisecond)); got != 0 ||
				err != os.ErrDeadlineExceeded {
				t.Errorf("wait: got %b, %v, want the deadline", got, err)
			}
			wantErr(t, "to try", tryOnce(s, e), syscall.EAGAIN)
			if e == network.Readable { // the other direction is free
				if got, err := s.Poll(both); got != network.Writable || err != nil {
					t.Errorf("poll in both directions: got %b, %v, want Writable", got, err)
				}
				if got, err := s.Wait(both, time.Now().Add(testTimeout)); got != network.Writable ||
					err != nil {
					t.Errorf("wait in both directions: got %b, %v, want Writable", got, err)
				}
			}

			// Many calls in a second would be a guest that turns in circles.
			set, err := poll.New()
			must(t, err)
			defer set.Close()
			items := []poll.Item{{P: s, Want: e}}
			calls := 0
			for began := time.Now(); time.Since(began) < 500*time.Millisecond; calls++ {
				ready, err := set.Wait(items, calls == 0, time.Now().Add(testTimeout))
				if err != nil || len(ready) != 1 || items[0].Got != e {
					t.Fatalf("poll: got %v, %b, %v, want nothing ready", ready, items[0].Got, err)
				}
				if err := tryOnce(s, e); err != nil && err != syscall.EAGAIN {
					t.Fatal(err)
				}
				if e == network.Readable {
					must(t, sendAll(peer, 8))
				}
			}
			if calls > 150 { // 8 bytes of 1000 a second each
				t.Errorf("got %d wakes, want few", calls)
			}

			// Without the limit it is ready at once.
			n.SetPolicy(policy.New(p.Rules(),
				policy.Limits{SendBytesPerSecond: 1 << 40, RecvBytesPerSecond: 1 << 40}))
			if got, err := s.Wait(e, time.Now().Add(testTimeout)); got != e || err != nil {
				t.Errorf("wait: got %b, %v, want the wanted event", got, err)
			}
			n.SetPolicy(p)
			n.SetPolicy(policy.New(p.Rules(), policy.Limits{}))
			if got, err := s.Poll(e); got != e || err != nil {
				t.Errorf("poll: got %b, %v, want the wanted event", got, err)
			}
		})
	}
}

// TestByteLimitSetWhileHandleIsPolled sets a limit while a set polls the handle of the socket.
func TestByteLimitSetWhileHandleIsPolled(t *testing.T) {
	n, p := limited(t, policy.Limits{})
	s, _ := streams(t, n)
	set, err := poll.New()
	must(t, err)
	defer set.Close()
	items := []poll.Item{{P: s, Want: network.Writable}}
	_, err = set.Wait(items, true, time.Now().Add(testTimeout))
	must(t, err)
	n.SetPolicy(policy.New(p.Rules(), policy.Limits{SendBytesPerSecond: 10}))
	must(t, sendAll(s, 10))
	calls := 0
	for began := time.Now(); time.Since(began) < 100*time.Millisecond; calls++ {
		_, err := set.Wait(items, false, time.Now().Add(testTimeout))
		must(t, err)
		tryOnce(s, network.Writable)
	}
	if calls > 20 {
		t.Errorf("got %d calls in a tenth of a second, want few", calls)
	}
}

// TestCloseEndsWaitOverByteLimit closes a socket while each kind of call waits for its limit.
func TestCloseEndsWaitOverByteLimit(t *testing.T) {
	for e, name := range map[network.Events]string{network.Writable: "send",
		network.Readable: "recv"} {
		t.Run(name, func(t *testing.T) {
			n, _ := limited(t, policy.Limits{SendBytesPerSecond: 1, RecvBytesPerSecond: 1})
			s, peer := streams(t, n)
			s.Send([][]byte{make([]byte, 1)}, nobody)
			if e == network.Readable {
				must(t, sendAll(peer, 10))
				must(t, recvAll(s, 1))
				peer.Close() // that it has hung up does not wake either
			}
			woken := make(chan struct{})
			stop := s.Readiness().Notify(e, sync.OnceFunc(func() { close(woken) }))
			defer stop()
			waited := make(chan error, 1)
			go func() {
				_, err := s.Wait(e, time.Time{})
				waited <- err
			}()
			select {
			case <-woken: // the budget is used up; the socket may be ready again within a second
			case <-time.After(50 * time.Millisecond):
			}
			s.Close()
			select {
			case err := <-waited:
				if err != nil && err != net.ErrClosed {
					t.Error(err)
				}
			case <-time.After(testTimeout):
				t.Error("got a wait that lasts after Close, want its end")
			}
			if _, err := s.Wait(e, time.Time{}); err != net.ErrClosed {
				t.Errorf("wait after Close: got %v, want net.ErrClosed", err)
			}
		})
	}
}

// TestDatagramLongerThanByteLimit sends a datagram that is longer than the initial budget. It is
// sent whole and charged afterwards.
func TestDatagramLongerThanByteLimit(t *testing.T) {
	n, _ := limited(t, policy.Limits{SendBytesPerSecond: 1000, RecvBytesPerSecond: 1000})
	peer, peerAt := udpSocket(t, "127.0.0.1:0")
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.Bind(here))
	big := make([]byte, 5000)
	if sent, err := s.Send([][]byte{big[:4000], big[4000:]}, peerAt); sent != len(big) ||
		err != nil {
		t.Fatalf("sent %d, %v", sent, err)
	}
	_, err := s.Send([][]byte{big[:1]}, peerAt)
	wantErr(t, "send more", err, syscall.EAGAIN)
	if got, err := s.Poll(network.Writable); got != 0 || err != nil {
		t.Errorf("poll: got %b, %v, want no event", got, err)
	}
	peer.WriteToUDPAddrPort(big, local(t, s))
	peer.WriteToUDPAddrPort(big, local(t, s))
	if r, err := s.Recv([][]byte{big[:10], make([]byte, 6000)}, 0); r.N != len(big) ||
		r.Truncated || err != nil {
		t.Fatalf("received %+v, %v", r, err)
	}
	_, err = s.Recv([][]byte{big}, 0)
	wantErr(t, "receive more", err, syscall.EAGAIN)
}

// TestConnectIsReportedOverByteLimit has no budget left while it connects, and none for a minute.
// The end of the connect is reported all the same.
func TestConnectIsReportedOverByteLimit(t *testing.T) {
	n, _ := limited(t, policy.Limits{SendBytesPerSecond: 1000})
	_, peer := udpSocket(t, "127.0.0.1:0")
	d := open(t, n, network.IPv4, network.Datagram)
	if sent, err := d.Send([][]byte{make([]byte, 60_000)}, peer); sent != 60_000 || err != nil {
		t.Fatalf("sent %d, %v", sent, err)
	}
	at, _ := listener(t, "127.0.0.1:0")
	c := open(t, n, network.IPv4, network.Stream)
	must(t, connect(t, c, at))
	_, err := c.Send([][]byte{{1}}, nobody)
	wantErr(t, "send", err, syscall.EAGAIN)
}

// TestSendAndRecvAllocateNothing sends and receives within limits. The guard allocates nothing
// beyond the sockets beneath, which allocate nothing on Linux (see package kernel).
func TestSendAndRecvAllocateNothing(t *testing.T) {
	allocations := func(n network.Network) float64 {
		s, peer := streams(t, n)
		b := [][]byte{make([]byte, 64)}
		u := open(t, n, network.IPv4, network.Datagram)
		must(t, u.Bind(here))
		to := local(t, u)
		return testing.AllocsPerRun(100, func() {
			s.Send(b, nobody)
			peer.Send(b, nobody)
			s.Recv(b, 0)
			peer.Recv(b, 0)
			u.Send(b, to)
			u.Recv(b, 0)
			s.Poll(network.Readable)
		})
	}
	beneath := allocations(kernel.New(kernel.Config{}))
	for name, l := range map[string]policy.Limits{"free": {},
		"limited": {SendBytesPerSecond: 1 << 40, RecvBytesPerSecond: 1 << 40}} {
		n, _ := limited(t, l)
		if got := allocations(n); got > beneath {
			t.Errorf("%s: got %v allocations, want the %v of the sockets beneath", name, got,
				beneath)
		}
	}
}

// TestFailureIsReportedOverByteLimit waits for the failure of a socket with a byte limit, and for
// no event.
func TestFailureIsReportedOverByteLimit(t *testing.T) {
	n := guard.New(kernel.New(kernel.Config{}),
		policy.New(nil, policy.Limits{RecvBytesPerSecond: 1}), guard.Options{})
	woken := make(chan struct{}, 1)
	stop := open(t, n, network.IPv4, network.Stream).Readiness().Notify(0,
		func() { woken <- struct{}{} })
	defer stop()
	select {
	case <-woken:
	case <-time.After(testTimeout):
		t.Error("got nothing, want to be told to look")
	}
}
