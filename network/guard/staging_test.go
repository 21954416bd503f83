package guard_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// spy is a Network that looks into the buffers into which its sockets receive.
type spy struct {
	network.Network
	watched []byte
	touched bool // whether one of them was watched
}

type spySocket struct {
	network.Socket
	*spy
}

func (s *spy) Open(f network.Family, t network.Type) (network.Socket, error) {
	sock, err := s.Network.Open(f, t)
	return &spySocket{sock, s}, err
}

func (s *spySocket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	for _, b := range bufs {
		s.touched = s.touched || len(b) > 0 && &b[0] == &s.watched[0]
	}
	return s.Socket.Recv(bufs, flags)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// receiver returns a guarded socket that admits 127.0.0.1 alone.
func receiver(t testing.TB, base network.Network, shared bool) (network.Socket, netip.AddrPort) {
	t.Helper()
	rules, err := policy.ParseTargets(policy.Allow, policy.ActionListen,
		"udp://loopback from 127.0.0.1", policy.Origin{})
	must(t, err)
	n := guard.New(base, policy.New(rules, policy.Limits{}), guard.Options{Shared: shared})
	sock, err := n.Open(network.IPv4, network.Datagram)
	must(t, err)
	t.Cleanup(func() { sock.Close() })
	must(t, sock.Bind(netip.MustParseAddrPort("127.0.0.1:0")))
	at, err := sock.LocalAddr()
	must(t, err)
	return sock, at
}

func sender(t testing.TB, from string) network.Socket {
	t.Helper()
	s, err := kernel.New(kernel.Config{}).Open(network.IPv4, network.Datagram)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	if s.Bind(netip.AddrPortFrom(netip.MustParseAddr(from), 0)) != nil {
		t.Skipf("this host has no %s", from)
	}
	return s
}

func send(t testing.TB, s network.Socket, text string, to netip.AddrPort) {
	t.Helper()
	_, err := s.Send([][]byte{[]byte(text)}, to)
	must(t, err)
}

// TestSharedBuffersNeverHoldDeniedDatagram receives into buffers that other threads read. They must
// never hold a datagram that is not admitted.
func TestSharedBuffersNeverHoldDeniedDatagram(t *testing.T) {
	for _, shared := range []bool{false, true} {
		s := &spy{Network: kernel.New(kernel.Config{}), watched: make([]byte, 3)}
		sock, at := receiver(t, s, shared)
		stranger, friend := sender(t, "127.0.0.2"), sender(t, "127.0.0.1")
		tail := make([]byte, 4)
		bufs := func() [][]byte { return [][]byte{s.watched, nil, tail} }

		for _, flags := range []network.RecvFlags{network.Peek, 0} {
			send(t, stranger, "secret", at)
			if _, err := sock.Recv(bufs(), flags); err != syscall.EAGAIN {
				t.Fatalf("got a datagram of a stranger, %v, want EAGAIN", err)
			}
			if !bytes.Equal(s.watched, make([]byte, 3)) || !bytes.Equal(tail, make([]byte, 4)) {
				t.Fatalf("got %q %q in the buffers, want no byte of a stranger", s.watched, tail)
			}
		}
		send(t, stranger, "secret", at)
		send(t, friend, "hello, you", at)
		for _, flags := range []network.RecvFlags{network.Peek, 0} {
			r, err := sock.Recv(bufs(), flags)
			if err != nil || r.N != 7 || !r.Truncated ||
				string(s.watched)+string(tail) != "hello, " {
				t.Fatalf("received %+v, %v, %q %q", r, err, s.watched, tail)
			}
			clear(s.watched)
			clear(tail)
		}
		send(t, friend, "", at)
		if r, err := sock.Recv(bufs(), 0); err != nil || r.N != 0 || r.Truncated {
			t.Fatalf("received %+v, %v", r, err)
		}
		if s.touched == shared {
			t.Errorf("shared %v: was it received into the guest's buffers? %v", shared, s.touched)
		}
	}
}

// TestWipeIsBoundedByOneDatagram receives into a buffer longer than any datagram. A denied datagram
// clears no more than the longest datagram can fill.
func TestWipeIsBoundedByOneDatagram(t *testing.T) {
	sock, at := receiver(t, kernel.New(kernel.Config{}), false)
	vast := bytes.Repeat([]byte{'x'}, 1<<17)
	send(t, sender(t, "127.0.0.2"), "secret", at)
	if _, err := sock.Recv([][]byte{vast[:1], vast[1:]}, 0); err != syscall.EAGAIN {
		t.Fatalf("got a datagram of a stranger, %v, want EAGAIN", err)
	}
	if n := bytes.Count(vast, []byte{0}); n != 1<<16 || vast[0] != 0 {
		t.Errorf("got %d bytes cleared, want those of one datagram", n)
	}
}

// TestConcurrentPeeksLoseNoDatagram peeks at denied datagrams in many threads at once. No admitted
// datagram between them may be lost.
func TestConcurrentPeeksLoseNoDatagram(t *testing.T) {
	const count = 200
	sock, at := receiver(t, kernel.New(kernel.Config{}), true)
	stranger, friend := sender(t, "127.0.0.2"), sender(t, "127.0.0.1")

	var peeking sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		peeking.Go(func() {
			b := [][]byte{make([]byte, 8)}
			for {
				select {
				case <-stop:
					return
				default:
					sock.Recv(b, network.Peek)
				}
			}
		})
	}
	defer peeking.Wait()
	defer close(stop)
	buf := make([]byte, 8)
	for i := range count {
		send(t, stranger, "secret", at)
		send(t, friend, fmt.Sprint(i), at)
		for deadline := time.Now().Add(10 * time.Second); ; {
			r, err := sock.Recv([][]byte{buf}, 0)
			if err == nil {
				if string(buf[:r.N]) != fmt.Sprint(i) {
					t.Fatalf("got %q, want %d", buf[:r.N], i)
				}
				break
			}
			if err != syscall.EAGAIN || time.Now().After(deadline) {
				t.Fatalf("datagram %d: got %v, want it received", i, err)
			}
		}
	}
}
