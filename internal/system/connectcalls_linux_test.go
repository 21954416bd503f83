package system

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// waitCounter is the host's network, and counts the waits of its sockets.
type waitCounter struct {
	network.Network
	waits int
}

type countedSocket struct {
	network.Socket
	of *waitCounter
}

func (w *waitCounter) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := w.Network.Open(f, typ)
	return &countedSocket{s, w}, err
}

func (c *countedSocket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	c.of.waits++
	return c.Socket.Wait(want, deadline)
}

// TestConnectAsksBeforeItWaits connects over loopback, to a listener and to a port without one.
func TestConnectAsksBeforeItWaits(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	listener := netip.MustParseAddrPort(l.Addr().String())
	free := testutil.ClosedPort(t, "127.0.0.1")
	for _, row := range []struct {
		name    string
		without []string
		to      netip.AddrPort
		want    error
		mayWait bool
	}{
		{"listener", []string{}, listener, nil, false},
		{"listener, without", []string{"raw-calls"}, listener, nil, true},
		{"no listener", []string{}, free, syscall.ECONNREFUSED, true},
		{"no listener, without", []string{"raw-calls"}, free, syscall.ECONNREFUSED, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			counter := &waitCounter{Network: kernel.New(kernel.Config{Without: row.without})}
			g, err := New(context.Background(), Config{Network: counter, Without: row.without})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			th := g.NewThread(sched.New())
			defer th.Close()
			fd, err := th.Open(network.IPv4, network.Stream)
			if err != nil {
				t.Fatal(err)
			}
			if err := th.Connect(fd, row.to); err != row.want {
				t.Errorf("got %v, want %v", err, row.want)
			}
			if counter.waits > 0 && !row.mayWait {
				t.Errorf("got %d waits, want none", counter.waits)
			}
		})
	}
}
