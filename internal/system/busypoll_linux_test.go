//go:build !portable

package system

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// lateSocket is a datagram socket that sends itself a datagram when it is looked at for the second
// time, or is waited for.
type lateSocket struct {
	network.Socket
	to           netip.AddrPort
	looks, waits int
}

func (l *lateSocket) send() {
	if _, err := l.Socket.Send([][]byte{{1}}, l.to); err != nil {
		panic(err)
	}
}

func (l *lateSocket) Poll(want network.Events) (network.Events, error) {
	if l.looks++; l.looks == 2 {
		l.send()
	}
	return l.Socket.Poll(want)
}

func (l *lateSocket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	if l.waits++; l.looks < 2 {
		l.send()
	}
	return l.Socket.Wait(want, deadline)
}

// TestReceiveLooksBeforeItWaits receives a datagram that comes while the thread looks for it. How
// often it looks depends on the clock, so it receives again until it has once not waited.
func TestReceiveLooksBeforeItWaits(t *testing.T) {
	for _, row := range []struct {
		name    string
		without []string
		looks   bool
	}{
		{"with", []string{}, true},
		{"without", []string{"busy-poll"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := kernel.New(kernel.Config{}).Open(network.IPv4, network.Datagram)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Bind(netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
				t.Fatal(err)
			}
			late := &lateSocket{Socket: s}
			if late.to, err = s.LocalAddr(); err != nil {
				t.Fatal(err)
			}
			g, err := New(context.Background(), Config{Without: row.without})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			fd, err := g.insert(newSocket(late))
			if err != nil {
				t.Fatal(err)
			}
			th := g.NewThread(sched.New())
			defer th.Close()
			looked := false
			for round := 0; round < 1000 && !looked; round++ {
				late.looks, late.waits = 0, 0
				var buf [1]byte
				if r, err := th.Recv(fd, [][]byte{buf[:]}, 0); r.N != 1 || err != nil {
					t.Fatalf("got %d, %v, want one byte", r.N, err)
				}
				looked = late.looks >= 2 && late.waits == 0
			}
			if looked != row.looks {
				t.Errorf("got a datagram by looks alone %v, want %v", looked, row.looks)
			}
		})
	}
}
