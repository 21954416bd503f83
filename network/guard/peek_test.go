package guard_test

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/policy"
)

// recvCall is one receive of a guest into so many bytes.
type recvCall struct {
	into  int
	flags network.RecvFlags
	want  uint64 // bytes counted by then
}

// TestReceivedBytesCountPeekedOnce counts each byte once that a guest has received or peeked at,
// and a datagram with its whole length. The counter and the limit agree.
func TestReceivedBytesCountPeekedOnce(t *testing.T) {
	const peek = network.Peek
	for _, tt := range []struct {
		name  string
		typ   network.Type
		sent  []int // bytes that are sent, each in one piece
		takes []recvCall
	}{
		{"datagram", network.Datagram, []int{500}, []recvCall{{1000, 0, 500}}},
		{"datagram cut", network.Datagram, []int{500}, []recvCall{{10, 0, 500}}},
		{"datagram into nothing", network.Datagram, []int{500}, []recvCall{{0, 0, 500}}},
		{"datagram peeked at", network.Datagram, []int{500, 400},
			[]recvCall{{1000, peek, 500}, {1000, peek, 500}, {0, 0, 500}, {0, peek, 900},
				{1000, 0, 900}}},
		{"stream", network.Stream, []int{500}, []recvCall{{300, 0, 300}, {300, 0, 500}}},
		{"stream peeked at", network.Stream, []int{500},
			[]recvCall{{300, peek, 300}, {400, peek, 400}, {100, peek, 400}, {100, 0, 400},
				{400, 0, 500}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, l := range []policy.Limits{{}, {RecvBytesPerSecond: 1 << 30}} {
				n, _ := limited(t, l)
				s, send := openReceiver(t, n, tt.typ)
				for _, size := range tt.sent {
					send(size)
				}
				for i, take := range tt.takes {
					if _, err := s.Wait(network.Readable, time.Now().Add(testTimeout)); err != nil {
						t.Fatal(err)
					}
					if _, err := s.Recv([][]byte{make([]byte, take.into)}, take.flags); err != nil {
						t.Fatal(err)
					}
					if got := n.Counters().ReceivedBytes; got != take.want {
						t.Errorf("got %d bytes counted after receive %d with %+v, want %d", got, i,
							l, take.want)
					}
				}
			}
		})
	}
}

// TestPeekedBytesAreCharged finds no way to read bytes beyond the limit.
func TestPeekedBytesAreCharged(t *testing.T) {
	for _, tt := range []struct {
		name string
		typ  network.Type
		take recvCall
	}{
		{"stream peeked at", network.Stream, recvCall{1 << 16, network.Peek, 0}},
		{"datagram peeked at", network.Datagram, recvCall{1 << 16, network.Peek, 0}},
		{"datagram cut", network.Datagram, recvCall{1, 0, 0}},
		{"datagram into nothing", network.Datagram, recvCall{0, 0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, _ := limited(t, policy.Limits{RecvBytesPerSecond: 1000})
			s, send := openReceiver(t, n, tt.typ)
			for range 3 {
				send(50_000)
			}
			if _, err := s.Wait(network.Readable, time.Now().Add(testTimeout)); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			taken, seen := 0, 0
			receive := func(flags network.RecvFlags) {
				switch r, err := s.Recv([][]byte{make([]byte, tt.take.into)}, flags); err {
				case nil:
					size := max(r.N, r.Size)
					seen = max(seen, taken+size) // A peek shows the same bytes again.
					if flags&network.Peek == 0 {
						taken += size
					}
				case syscall.EAGAIN:
				default:
					t.Fatal(err)
				}
			}
			for range 3 {
				receive(tt.take.flags)
				if tt.take.flags&network.Peek != 0 {
					receive(0)
				}
			}
			// The initial budget, the budget of the time since, and one overdraft: a second's worth
			// or a whole datagram.
			most := 1000 * (2 + int(time.Since(began).Seconds()))
			if tt.typ == network.Datagram {
				most = 50_000
			}
			if seen > most {
				t.Errorf("got %d bytes at once, want at most %d", seen, most)
			}
		})
	}
}

// openReceiver opens a socket of a guest, and returns a function that sends to it.
func openReceiver(t *testing.T, n *guard.Network, typ network.Type) (s network.Socket,
	send func(size int)) {
	t.Helper()
	if typ == network.Stream {
		s, peer := streams(t, n)
		return s, func(size int) {
			if sent, err := peer.Send([][]byte{make([]byte, size)},
				netip.AddrPort{}); sent != size || err != nil {
				t.Fatalf("sent %d, %v", sent, err)
			}
		}
	}
	peer, _ := udpSocket(t, "127.0.0.1:0")
	s = open(t, n, network.IPv4, network.Datagram)
	must(t, s.Bind(here))
	return s, func(size int) {
		if _, err := peer.WriteToUDPAddrPort(make([]byte, size), local(t, s)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPeekOnAdoptedSocket peeks at bytes that the owner of an adopted socket takes.
func TestPeekOnAdoptedSocket(t *testing.T) {
	peer, _ := udpSocket(t, "127.0.0.1:0")
	other, at := udpSocket(t, "127.0.0.1:0")
	n, s := adopted(t, other, nil)
	b := make([]byte, 1000)
	for i := range 3 {
		if _, err := peer.WriteToUDPAddrPort(make([]byte, 500), at); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Wait(network.Readable, time.Now().Add(testTimeout)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv([][]byte{b}, network.Peek); err != nil {
			t.Fatal(err)
		}
		if _, _, err := other.ReadFromUDPAddrPort(b); err != nil {
			t.Fatal(err)
		}
		if got, want := n.Counters().ReceivedBytes, uint64(500*(i+1)); got != want {
			t.Errorf("got %d bytes counted, want %d", got, want)
		}
	}
}
