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
			fd := openNonblocking(t, th, network.IPv4, network.Datagram)
			if err := th.Bind(fd, netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
				t.Fatal(err)
			}
			at, err := th.LocalAddr(fd)
			if err != nil {
				t.Fatal(err)
			}
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
