//go:build !portable

package kernel_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

var anyLoopback = netip.MustParseAddrPort("127.0.0.1:0")

// behind returns the interface of a socket that holds sends.
func behind(t testing.TB, s network.Socket) sendbehind.Socket {
	t.Helper()
	b, ok := s.(sendbehind.Socket)
	if !ok {
		t.Fatal("got a socket that holds no sends, want one that does")
	}
	return b
}

// holdAll holds sends of these sizes, each with other bytes.
func holdAll(t testing.TB, s network.Socket, to netip.AddrPort, sizes ...int) {
	t.Helper()
	for i, size := range sizes {
		want := sendbehind.Further
		if i == 0 {
			want = sendbehind.First
		}
		if got := behind(t, s).Hold(one(datagram(i, size)), to); got != want {
			t.Fatalf("Hold of %d bytes: got %v, want %v", size, got, want)
		}
	}
}

func datagram(i, size int) []byte { return bytes.Repeat([]byte{byte(i + 1)}, size) }

// wantDatagrams receives the datagrams of holdAll.
func wantDatagrams(t testing.TB, s network.Socket, sizes ...int) {
	t.Helper()
	b := make([]byte, 1<<16)
	for i, size := range sizes {
		r := recv(t, s, b)
		if !bytes.Equal(b[:r.N], datagram(i, size)) {
			t.Fatalf("datagram %d: got %d bytes, want %d of its own", i, r.N, size)
		}
	}
	if _, err := s.Recv(one(b), 0); err != syscall.EAGAIN {
		t.Errorf("got %v after %d datagrams, want EAGAIN", err, len(sizes))
	}
}

// TestSegments compares the packets of held datagrams with those of datagrams that are sent alone,
// and the datagrams that the peer receives.
func TestSegments(t *testing.T) {
	testutil.InNamespaces(t, unix.CLONE_NEWNET, nil, func(t *testing.T) {
		testutil.BringUp(t, "lo")
		for _, local := range []string{"127.0.0.1:0", "[::1]:0"} {
			testSegments(t, netip.MustParseAddrPort(local))
		}
		setMTU(t, "lo", 1500)
		t.Run("longer than the MTU", segmentsBeyondMTU)
	})
}

func testSegments(t *testing.T, local netip.AddrPort) {
	family := network.IPv4
	if local.Addr().Is6() {
		family = network.IPv6
	}
	for name, sizes := range map[string][]int{
		"one":                    {100},
		"of one size":            slices.Repeat([]int{100}, 64),
		"with a shorter last":    {1200, 1200, 1200, 7},
		"as long as a packet":    slices.Repeat([]int{4083}, 16),
		"one byte":               {1, 1, 1},
		"two, the second longer": {700, 699},
	} {
		t.Run(fmt.Sprint(local.Addr(), " ", name), func(t *testing.T) {
			receiver, to := bound(t, family, local)
			for _, connected := range []bool{false, true} {
				s := open(t, family, network.Datagram)
				if connected {
					check(t, s.Connect(to))
				}
				before := packets(t)
				holdAll(t, s, to, sizes...)
				if _, err := receiver.Recv(one(nil), 0); err != syscall.EAGAIN {
					t.Errorf("got %v before the flush, want EAGAIN", err)
				}
				check(t, behind(t, s).Flush())
				if got := packets(t) - before; got != 1 {
					t.Errorf("got %d packets for %d datagrams, want 1", got, len(sizes))
				}
				wantDatagrams(t, receiver, sizes...)
			}
		})
	}
}

// packets returns how many packets were sent through lo, where one with segments is one.
func packets(t testing.TB) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/net/dev")
	check(t, err)
	_, counters, ok := strings.Cut(string(text), "lo:")
	if !ok {
		t.Fatalf("got %q, want the counters of lo", text)
	}
	_, err = fmt.Sscan(strings.Fields(counters)[9], &n)
	check(t, err)
	return n
}

func setMTU(t testing.TB, name string, mtu uint32) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	check(t, err)
	defer unix.Close(fd)
	request, err := unix.NewIfreq(name)
	check(t, err)
	request.SetUint32(mtu)
	check(t, unix.IoctlIfreq(fd, unix.SIOCSIFMTU, request))
}

// segmentsBeyondMTU holds datagrams that must be sent as fragments: the kernel does not cut a
// packet into those. They arrive even so, and the next ones are not held.
func segmentsBeyondMTU(t *testing.T) {
	receiver, to := bound(t, network.IPv4, anyLoopback)
	s := open(t, network.IPv4, network.Datagram)
	holdAll(t, s, to, 2000, 2000, 10)
	check(t, behind(t, s).Flush())
	wantDatagrams(t, receiver, 2000, 2000, 10)
	if got := behind(t, s).Hold(one(make([]byte, 2000)), to); got != sendbehind.Refused {
		t.Errorf("got %v after the kernel has refused segments, want Refused", got)
	}
	holdAll(t, s, to, 1000, 1000)
	check(t, behind(t, s).Flush())
	wantDatagrams(t, receiver, 1000, 1000)
}

// TestHoldRefuses has sends that cannot go with those that are held.
func TestHoldRefuses(t *testing.T) {
	_, to := bound(t, network.IPv4, anyLoopback)
	_, other := bound(t, network.IPv4, anyLoopback)
	for name, row := range map[string]struct {
		held, size int
		to         netip.AddrPort
	}{
		"an empty datagram":     {0, 0, to},
		"an empty one later":    {1, 0, to},
		"a longer one":          {1, 101, to},
		"another destination":   {1, 100, other},
		"more than 64 segments": {64, 100, to},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, network.IPv4, network.Datagram)
			holdAll(t, s, to, slices.Repeat([]int{100}, row.held)...)
			got := behind(t, s).Hold(one(make([]byte, row.size)), row.to)
			if got != sendbehind.Refused {
				t.Errorf("got %v, want Refused", got)
			}
		})
	}
	t.Run("after a shorter one", func(t *testing.T) {
		s := open(t, network.IPv4, network.Datagram)
		holdAll(t, s, to, 100, 99)
		if got := behind(t, s).Hold(one(make([]byte, 99)), to); got != sendbehind.Refused {
			t.Errorf("got %v, want Refused", got)
		}
	})
	t.Run("more than a packet", func(t *testing.T) {
		s := open(t, network.IPv4, network.Datagram)
		holdAll(t, s, to, slices.Repeat([]int{4096}, 15)...)
		if got := behind(t, s).Hold(one(make([]byte, 4096)), to); got != sendbehind.Refused {
			t.Errorf("got %v, want Refused", got)
		}
	})
}

// TestSendComesAfterHeld sends plainly while datagrams are held.
func TestSendComesAfterHeld(t *testing.T) {
	receiver, to := bound(t, network.IPv4, anyLoopback)
	for name, send := range map[string]func(s network.Socket) (int, error){
		"Send": func(s network.Socket) (int, error) { return s.Send(one(datagram(2, 500)), to) },
		"SendControl": func(s network.Socket) (int, error) {
			return s.(network.Controller).SendControl(one(datagram(2, 500)), to,
				&network.Control{Fields: network.PacketTOS})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, network.IPv4, network.Datagram)
			holdAll(t, s, to, 100, 100)
			_, err := send(s)
			check(t, err)
			wantDatagrams(t, receiver, 100, 100, 500)
		})
	}
}

// TestRefusedDatagramsAreSent flushes to a peer after an earlier datagram was refused. The error is
// told, and the held datagrams are not lost by it, since the guest was told that they are sent.
func TestRefusedDatagramsAreSent(t *testing.T) {
	for name, sizes := range map[string][]int{"one": {100}, "several": {100, 100, 100, 9}} {
		t.Run(name, func(t *testing.T) {
			receiver, to := bound(t, network.IPv4, anyLoopback)
			s := open(t, network.IPv4, network.Datagram)
			check(t, s.Connect(to))
			receiver.Close()
			holdAll(t, s, netip.AddrPort{}, sizes...)
			control(t, s, func(fd int) { check(t, unix.Send(fd, []byte("refused"), 0)) })
			receiver, _ = bound(t, network.IPv4, to)
			wantErr(t, "Flush", behind(t, s).Flush(), syscall.ECONNREFUSED)
			wantDatagrams(t, receiver, sizes...)
		})
	}
}

func control(t testing.TB, s network.Socket, f func(fd int)) {
	t.Helper()
	check(t, s.Readiness().Control(func(fd uintptr) { f(int(fd)) }))
}

// TestHeldBytesWithoutRoom takes the room in the send queue away while bytes are held, as a kernel
// does that runs out of memory.
func TestHeldBytesWithoutRoom(t *testing.T) {
	fill := func(t *testing.T) (s, peer network.Socket, filled int) {
		s, peer = pair(t, network.IPv4, anyLoopback)
		check(t, peer.SetOption(network.RecvBuffer, 1<<14)) // which does not grow then
		holdAll(t, s, netip.AddrPort{}, 1000, 1000)
		control(t, s, func(fd int) {
			for {
				n, err := unix.Write(fd, make([]byte, 1<<16))
				if err != nil {
					return
				}
				filled += n
			}
		})
		wantErr(t, "Flush", behind(t, s).Flush(), syscall.EAGAIN)
		if got := behind(t, s).Hold(one([]byte{1}), netip.AddrPort{}); got != sendbehind.Refused {
			t.Errorf("Hold: got %v, want Refused", got)
		}
		_, err := s.Send(one([]byte{1}), netip.AddrPort{})
		wantErr(t, "Send", err, syscall.EAGAIN)
		return s, peer, filled
	}
	t.Run("read later", func(t *testing.T) {
		s, peer, filled := fill(t)
		for got := 0; got < filled; {
			got += recv(t, peer, make([]byte, min(1<<16, filled-got))).N
		}
		check(t, behind(t, s).Flush())
		b := make([]byte, 4000)
		if n := recv(t, peer, b).N; n != 2000 || b[0] != 1 || b[1999] != 2 {
			t.Errorf("got %d bytes, want the 2000 that were held", n)
		}
	})
	t.Run("closed", func(t *testing.T) {
		s, peer, filled := fill(t)
		check(t, s.Close())
		n, err := readStream(peer)
		if n > filled || err != syscall.ECONNRESET {
			t.Errorf("got %d bytes and %v, want at most %d and a reset", n, err, filled)
		}
	})
}

// TestCloseFlushes closes, in several ways, a stream that holds bytes.
func TestCloseFlushes(t *testing.T) {
	for name, end := range map[string]func(network.Socket) error{
		"Close":    network.Socket.Close,
		"Shutdown": func(s network.Socket) error { return s.Shutdown(network.ShutWrite) },
		"Unsent": func(s network.Socket) error {
			unsent := s.(network.Buffered).Unsent()
			if _, held := behind(t, s).HeldSince(); held {
				t.Error("got bytes held that Unsent does not count, want none")
			}
			if err := s.Close(); unsent == nil {
				return err
			}
			unsent.End()
			return unsent.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, peer := pair(t, network.IPv4, anyLoopback)
			holdAll(t, s, netip.AddrPort{}, 1000, 1000)
			check(t, end(s))
			if n, err := readStream(peer); n != 2000 || err != io.EOF {
				t.Errorf("got %d bytes and %v, want 2000 and the end", n, err)
			}
			if name == "Shutdown" {
				return
			}
			got := behind(t, s).Hold(one([]byte{1}), netip.AddrPort{})
			if got != sendbehind.Refused {
				t.Errorf("Hold: got %v after the end, want Refused", got)
			}
		})
	}
}

// readStream reads a stream to its end or an error.
func readStream(s network.Socket) (n int, err error) {
	b := make([]byte, 1<<16)
	for {
		if _, err := s.Wait(network.Readable, soon()); err != nil {
			return n, err
		}
		r, err := s.Recv(one(b), 0)
		switch {
		case errors.Is(err, syscall.EAGAIN):
		case err != nil:
			return n, err
		case r.N == 0:
			return n, io.EOF
		}
		n += r.N
	}
}
