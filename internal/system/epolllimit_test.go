package system

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// TestEpollUnderLaterByteLimit gets a limit of bytes while a socket is registered. The events that
// it holds back are told later.
func TestEpollUnderLaterByteLimit(t *testing.T) {
	const datagrams = 5
	rules := testutil.Policy(t, "allow listen udp://127.0.0.1:0",
		"allow connect udp://127.0.0.1").Rules()
	for name, events := range map[string]EpollEvents{"level": EpollIn,
		"edge": EpollIn | EpollEdge} {
		t.Run(name, func(t *testing.T) {
			n := guard.New(kernel.New(kernel.Config{}), policy.New(rules, policy.Limits{}),
				guard.Options{})
			th, _ := scheduledThread(t, Config{Network: n})
			e := newEpollTest(t, th)
			fd, at := boundDatagrams(t, th)
			e.control(EpollAdd, fd, events)
			e.want("no datagram")
			n.SetPolicy(policy.New(rules, policy.Limits{RecvBytesPerSecond: 20 << 10}))
			for range datagrams {
				if _, err := th.Send(fd, buf(make([]byte, 8<<10)), at, 0); err != nil {
					t.Fatal(err)
				}
			}
			received, waits := 0, 0
			for ; received < datagrams; waits++ {
				if got, err := th.EpollWait(e.ep, 4, int64(20*time.Second)); len(got) != 1 {
					t.Fatalf("got %v, %v after %d datagrams, want an event", got, err, received)
				}
				for {
					if _, err := th.Recv(fd, buf(make([]byte, 8<<10)), 0); err != nil {
						break
					}
					received++
				}
			}
			if waits < 2 {
				t.Errorf("got %d datagrams in one go, want some held back", received)
			}
		})
	}
}

// boundDatagrams opens a socket on 127.0.0.1.
func boundDatagrams(t *testing.T, th *Thread) (int32, netip.AddrPort) {
	t.Helper()
	fd := openNonblocking(t, th, network.IPv4, network.Datagram)
	if err := th.Bind(fd, netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	at, err := th.LocalAddr(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, at
}

// TestEpollUnderByteLimit receives one datagram after the other. A socket under a limit of bytes
// has no descriptor to wait for, and tells of its events itself. Later the limit is gone.
func TestEpollUnderByteLimit(t *testing.T) {
	rules := testutil.Policy(t, "allow listen udp://127.0.0.1:0",
		"allow connect udp://127.0.0.1").Rules()
	for name, events := range map[string]EpollEvents{"level": EpollIn,
		"edge": EpollIn | EpollEdge} {
		t.Run(name, func(t *testing.T) {
			n := guard.New(kernel.New(kernel.Config{}),
				policy.New(rules, policy.Limits{RecvBytesPerSecond: 1 << 30}), guard.Options{})
			th, _ := scheduledThread(t, Config{Network: n})
			e := newEpollTest(t, th)
			fd, at := boundDatagrams(t, th)
			e.control(EpollAdd, fd, events)
			for i := range 6 {
				if _, err := th.Send(fd, buf([]byte("a")), at, 0); err != nil {
					t.Fatal(err)
				}
				got, err := th.EpollWait(e.ep, 4, int64(10*time.Second))
				want := []EpollEvent{{EpollIn, uint64(fd)}}
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("datagram %d: got %v, %v, want %v", i, got, err, want)
				}
				for err == nil {
					_, err = th.Recv(fd, buf(make([]byte, 8)), 0)
				}
				if events&EpollEdge == 0 {
					e.want("received")
				}
				if i == 3 {
					n.SetPolicy(policy.New(rules, policy.Limits{}))
				}
			}
		})
	}
}
