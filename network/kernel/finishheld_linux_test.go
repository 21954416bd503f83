//go:build !portable

package kernel

import (
	"net/netip"
	"testing"

	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/network"
)

// TestHoldAfterFinishHeld holds sends for the first time once Close has begun.
func TestHoldAfterFinishHeld(t *testing.T) {
	s, err := New(Config{}).Open(network.IPv4, network.Stream)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	k := s.(*socket)
	k.finishHeld()
	for i := range 2 {
		if got := k.Hold([][]byte{{1}}, netip.AddrPort{}); got != sendbehind.Refused {
			t.Errorf("send %d: got %v, want it refused", i, got)
		}
	}
}
