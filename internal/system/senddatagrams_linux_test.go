//go:build !portable

package system

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// countingNetwork counts the calls of its sockets that make a system call to send.
type countingNetwork struct {
	network.Network
	calls atomic.Int32
}

type countingSocket struct {
	network.Socket
	behind sendbehind.Socket
	on     *countingNetwork
}

func (n *countingNetwork) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, typ)
	if err != nil {
		return nil, err
	}
	return &countingSocket{s, s.(sendbehind.Socket), n}, nil
}

func (s *countingSocket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	s.on.calls.Add(1)
	return s.Socket.Send(bufs, to)
}

func (s *countingSocket) Hold(bufs [][]byte, to netip.AddrPort) sendbehind.Result {
	return s.behind.Hold(bufs, to)
}

func (s *countingSocket) HeldSince() (time.Duration, bool) { return s.behind.HeldSince() }

func (s *countingSocket) Flush() error {
	if _, held := s.behind.HeldSince(); held {
		s.on.calls.Add(1)
	}
	return s.behind.Flush()
}

// datagramSender is a thread of a guest with two datagram sockets. Each sends to both receivers.
type datagramSender struct {
	*Thread
	t         testing.TB
	on        *countingNetwork
	fds       [2]int32
	receivers [2]*net.UDPConn
	to        [2]netip.AddrPort
	// sent counts the datagrams to each receiver, and got has those that it received.
	sent [2]int
	got  [2][]string
}

func newDatagramSender(t testing.TB, without ...string) *datagramSender {
	t.Helper()
	n := &countingNetwork{Network: kernel.New(kernel.Config{})}
	g, err := New(context.Background(), Config{Network: n, Without: append([]string{}, without...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	s := &datagramSender{Thread: g.NewThread(sched.New()), t: t, on: n}
	t.Cleanup(s.Thread.Close)
	for i := range s.fds {
		if s.fds[i], err = s.Open(network.IPv4, network.Datagram); err != nil {
			t.Fatal(err)
		}
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		s.receivers[i] = c.(*net.UDPConn)
		s.to[i] = netip.MustParseAddrPort(c.LocalAddr().String())
	}
	return s
}

func (s *datagramSender) send(i, to int, b []byte) error {
	s.EnterSend(&importName)
	defer func() { s.LeaveCall(); s.ChargeSteps(1) }()
	_, err := s.Send(s.fds[i], [][]byte{b}, s.to[to], 0)
	if err == nil {
		s.sent[to]++
	}
	return err
}

// receive makes another call, after which nothing is held, and receives all that were sent.
func (s *datagramSender) receive() {
	s.t.Helper()
	s.EnterCall(&importName)
	s.LeaveCall()
	b := make([]byte, 1<<16)
	for i, c := range s.receivers {
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		for len(s.got[i]) < s.sent[i] {
			n, err := c.Read(b)
			if err != nil {
				s.t.Fatalf("receiver %d: got %d datagrams and %v, want %d", i, len(s.got[i]), err,
					s.sent[i])
			}
			s.got[i] = append(s.got[i], string(b[:n]))
		}
	}
}

// TestDatagramsBehindAsPlain sends random runs of datagrams, of several sizes, from two sockets to
// two receivers. Each receiver gets the same datagrams in the same order from guests with and
// without holding: loopback keeps the order in which the kernel got them.
func TestDatagramsBehindAsPlain(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			held, calls := runDatagrams(t, seed)
			plain, plainCalls := runDatagrams(t, seed, "all")
			for i := range held {
				if !slices.Equal(held[i], plain[i]) {
					t.Errorf("receiver %d: got %d datagrams, want the %d of a guest without", i,
						len(held[i]), len(plain[i]))
				}
			}
			if calls >= plainCalls {
				t.Errorf("got %d system calls, want fewer than the %d of a guest without", calls,
					plainCalls)
			}
		})
	}
}

func runDatagrams(t *testing.T, seed uint64, without ...string) (got [2][]string, calls int) {
	s := newDatagramSender(t, without...)
	random := rand.New(rand.NewPCG(seed, 15))
	sent := 0
	for range 12 {
		i, to := random.IntN(2), random.IntN(2)
		size := []int{1, 64, 300, 1200}[random.IntN(4)]
		for range 1 + random.IntN(16) {
			b := make([]byte, size)
			if random.IntN(10) == 0 {
				b = b[:1+random.IntN(size)]
			}
			for at := range b {
				b[at] = byte(sent + at)
			}
			sent++
			if err := s.send(i, to, b); err != nil {
				t.Fatal(err)
			}
		}
		switch random.IntN(3) {
		case 0:
			s.Tick()
		case 1:
			s.receive()
		}
	}
	s.receive()
	return s.got, int(s.on.calls.Load())
}

// TestRefusedDatagramsAsPlain sends to a connected receiver that closes before another call. From
// then on every second send is refused, with and without holding.
func TestRefusedDatagramsAsPlain(t *testing.T) {
	results := func(without ...string) (list []string) {
		s := newDatagramSender(t, without...)
		s.EnterCall(&importName)
		if err := s.Connect(s.fds[0], s.to[0]); err != nil {
			t.Fatal(err)
		}
		s.to[0] = noAddress
		for range 30 {
			list = append(list, fmt.Sprint(s.send(0, 0, []byte("datagram"))))
		}
		s.receive()
		s.receivers[0].Close()
		for range 30 {
			list = append(list, fmt.Sprint(s.send(0, 0, []byte("refused"))))
		}
		return list
	}
	if got, want := results(), results("all"); !slices.Equal(got, want) {
		t.Errorf("got %q, want those of a guest without: %q", got, want)
	}
}

// TestCallsOfHeldDatagrams counts the system calls for a run of datagrams of one size, and the
// datagrams that arrive.
func TestCallsOfHeldDatagrams(t *testing.T) {
	const datagrams = 200
	for name, test := range map[string]struct {
		without []string
		most    int
	}{
		"with segments":    {nil, datagrams / 16},
		"without segments": {[]string{"segments"}, datagrams},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDatagramSender(t, test.without...)
			for range datagrams {
				if err := s.send(0, 0, []byte("datagram")); err != nil {
					t.Fatal(err)
				}
			}
			s.receive()
			s.receivers[0].SetReadDeadline(time.Now())
			if n, err := s.receivers[0].Read(make([]byte, 1)); err == nil {
				t.Errorf("got another datagram of %d bytes, want %d", n, datagrams)
			}
			calls := int(s.on.calls.Load())
			if calls > test.most || test.without != nil && calls < test.most {
				t.Errorf("got %d system calls, want %d at most", calls, test.most)
			}
		})
	}
}
