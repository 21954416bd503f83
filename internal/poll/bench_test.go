package poll_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
)

func oneReadyOf(t testing.TB, n int) (set, []poll.Item) {
	s := newSet(t)
	items := make([]poll.Item, n)
	for i := range items {
		p := newPeer(t)
		items[i] = poll.Item{P: p.Socket, Want: network.Readable}
		if i == n/2 {
			p.fill(t)
		}
	}
	if ready, err := s.Wait(items, true, time.Time{}); len(ready) != 1 || err != nil {
		t.Fatalf("got %v, %v; want one ready item", ready, err)
	}
	return s, items
}

func BenchmarkWait(b *testing.B) {
	for _, n := range []int{1, 10, 100, 500} {
		b.Run(fmt.Sprintf("same/%d", n), func(b *testing.B) {
			s, items := oneReadyOf(b, n)
			b.ReportAllocs()
			for b.Loop() {
				s.Wait(items, false, time.Time{})
			}
		})
		b.Run(fmt.Sprintf("changed/%d", n), func(b *testing.B) {
			s, items := oneReadyOf(b, n)
			b.ReportAllocs()
			for b.Loop() {
				s.Wait(items, true, time.Time{})
			}
		})
	}
}

// One goroutine waits for the other, 500 sockets at a time.
func BenchmarkWake500(b *testing.B) {
	s := newSet(b)
	peers := make([]peer, 500)
	items := make([]poll.Item, len(peers))
	for i := range peers {
		peers[i] = newPeer(b)
		items[i] = poll.Item{P: peers[i].Socket, Want: network.Readable}
	}
	next := make(chan int)
	go func() {
		for i := range next {
			peers[i].fill(b)
		}
	}()
	defer close(next)
	buf := [][]byte{make([]byte, 8)}
	for i := 0; b.Loop(); i++ {
		next <- i % len(peers)
		ready, err := s.Wait(items, i == 0, time.Time{})
		if len(ready) != 1 || err != nil {
			b.Fatalf("got %v, %v; want one ready item", ready, err)
		}
		peers[ready[0]].Recv(buf, 0)
	}
}
