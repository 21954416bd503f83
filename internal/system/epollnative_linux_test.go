//go:build !portable

package system

import (
	"fmt"
	"math/rand"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// epollSide is a UDP socket with three copies, and an epoll: a guest's, or the kernel's own.
type epollSide interface {
	control(op EpollOp, fd int, events EpollEvents) error
	write()
	read()
	// wait returns "number: events" of the copies that are ready.
	wait() []string
}

type guestSide struct {
	epollTest
	copies [4]int32
	at     netip.AddrPort
}

func newGuestSide(t *testing.T) *guestSide {
	th := lookupThread(t, kernel.New(kernel.Config{}), 0)
	g := &guestSide{epollTest: newEpollTest(t, th)}
	fd := openNonblocking(t, th, network.IPv4, network.Datagram)
	err := th.Bind(fd, netip.MustParseAddrPort("127.0.0.1:0"))
	if err == nil {
		g.at, err = th.LocalAddr(fd)
	}
	g.copies[0] = fd
	for i := 1; i < len(g.copies) && err == nil; i++ {
		g.copies[i], err = th.Dup(fd, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *guestSide) control(op EpollOp, n int, events EpollEvents) error {
	return g.EpollControl(g.ep, op, g.copies[n], events, uint64(n))
}

func (g *guestSide) write() { g.Send(g.copies[0], buf([]byte("a")), g.at, 0) }

func (g *guestSide) read() {
	for err := error(nil); err == nil; {
		_, err = g.Recv(g.copies[0], buf(make([]byte, 8)), 0)
	}
}

func (g *guestSide) wait() (list []string) {
	events, err := g.EpollWait(g.ep, 10, 0)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, x := range events {
		list = append(list, fmt.Sprintf("%d: %#x", x.Data, uint32(x.Events)))
	}
	return list
}

type kernelSide struct {
	t      *testing.T
	ep     int
	copies [4]int
	at     unix.Sockaddr
}

func newKernelSide(t *testing.T) *kernelSide {
	k := &kernelSide{t: t}
	made := func(fd int, err error) int {
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	k.ep = made(unix.EpollCreate1(unix.EPOLL_CLOEXEC))
	k.copies[0] = made(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0))
	err := unix.Bind(k.copies[0], &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		k.at, err = unix.Getsockname(k.copies[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(k.copies); i++ {
		k.copies[i] = made(unix.Dup(k.copies[0]))
	}
	return k
}

func (k *kernelSide) control(op EpollOp, n int, events EpollEvents) error {
	return unix.EpollCtl(k.ep, int(op), k.copies[n],
		&unix.EpollEvent{Events: uint32(events), Fd: int32(n)})
}

func (k *kernelSide) write() { unix.Sendto(k.copies[0], []byte("a"), 0, k.at) }

func (k *kernelSide) read() {
	for err := error(nil); err == nil; {
		_, _, err = unix.Recvfrom(k.copies[0], make([]byte, 8), 0)
	}
}

func (k *kernelSide) wait() (list []string) {
	var events [10]unix.EpollEvent
	n, err := unix.EpollWait(k.ep, events[:], 0)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, x := range events[:n] {
		list = append(list, fmt.Sprintf("%d: %#x", x.Fd, x.Events))
	}
	return list
}

// TestEpollOfCopiesAsNative makes the same random calls on an epoll of a guest and on the kernel's.
// The guest misses no event. It may get an edge more, since its copies share one registration.
func TestEpollOfCopiesAsNative(t *testing.T) {
	choices := []EpollEvents{0, EpollIn, EpollIn | EpollEdge, EpollOut | EpollEdge,
		EpollIn | EpollOut | EpollEdge, EpollIn | EpollOneshot}
	for seed := range int64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewSource(seed))
			guest, native := newGuestSide(t), newKernelSide(t)
			var log []string
			both := func(what string, do func(epollSide) error) {
				log = append(log, what)
				got, want := do(guest), do(native)
				if (got == nil) != (want == nil) {
					t.Fatalf("%q: got %v, want %v", log, got, want)
				}
			}
			for range 30 {
				op, n, events := EpollOp(1+r.Intn(4)), r.Intn(4), choices[r.Intn(len(choices))]
				if op > EpollModify {
					op = EpollAdd
				}
				switch r.Intn(5) {
				case 0:
					both("write", func(s epollSide) error { s.write(); return nil })
				case 1:
					both("read", func(s epollSide) error { s.read(); return nil })
				case 2, 3:
					both(fmt.Sprintf("%d %d %#x", op, n, uint32(events)),
						func(s epollSide) error { return s.control(op, n, events) })
				default:
					got, want := guest.wait(), native.wait()
					log = append(log, "wait")
					for _, event := range want {
						if !slices.Contains(got, event) {
							t.Fatalf("%q: got %q, want %q", log, got, want)
						}
					}
				}
			}
		})
	}
}
