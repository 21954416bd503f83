package guard

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// TestBacklogCharge fills the queue of a listener and compares the charge with the connections that
// Linux has let in.
func TestBacklogCharge(t *testing.T) {
	for _, backlog := range []int{0, 1, 5, 1 << 20} {
		p := policy.New(testutil.Policy(t, "allow listen loopback").Rules(),
			policy.Limits{SocketMemory: 4 << 20})
		n := New(kernel.New(kernel.Config{}), p, Options{})
		l, err := n.Open(network.IPv4, network.Stream)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := l.Bind(netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
			t.Fatal(err)
		}
		if err := l.Listen(backlog); err != nil {
			t.Fatal(err)
		}
		size, err := l.Option(network.RecvBuffer)
		if err != nil {
			t.Fatal(err)
		}
		charge := l.(*socket).charge.backlog
		charged := int(charge / bufferCharge(size))
		if charge > 4<<20/backlogDivisor && charged > 2 {
			t.Errorf("backlog %d: got a charge of %d bytes", backlog, charge)
		}
		local, err := l.LocalAddr()
		if err != nil {
			t.Fatal(err)
		}
		for range charged + 3 { // those beyond the queue stay in SYN_SENT
			c, err := net.DialTimeout("tcp", local.String(), 200*time.Millisecond)
			if err != nil {
				break
			}
			defer c.Close()
		}
		waiting := 0
		for {
			c, _, err := l.(*socket).Socket.Accept()
			if err != nil {
				break
			}
			defer c.Close()
			waiting++
		}
		if waiting != charged {
			t.Errorf("backlog %d: got %d connections waiting, and a charge for %d", backlog,
				waiting, charged)
		}
	}
}
