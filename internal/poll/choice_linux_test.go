//go:build !portable

package poll

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/gramine"
	"github.com/wasport/wasport/network"
)

func TestNests(t *testing.T) {
	if got, want := nests(unix.EpollCtl), !gramine.Inside(); got != want {
		t.Errorf("on this kernel: got %t, want %t", got, want)
	}
	for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.EPERM, syscall.ELOOP} {
		if nests(func(int, int, int, *unix.EpollEvent) error { return errno }) {
			t.Errorf("epoll_ctl fails with %v: got true, want false", errno)
		}
	}
}

// readyItem is always ready.
type readyItem struct{ _ byte }

func (*readyItem) Available() (int, error) { return 0, nil }

func (*readyItem) Readiness() network.Readiness { return network.Readiness{} }

func (*readyItem) Poll(want network.Events) (network.Events, error) { return want, nil }

func TestSetWithoutNesting(t *testing.T) {
	s, err := newSet(false)
	if err != nil {
		t.Fatal(err)
	}
	if s.epoll != nil {
		t.Error("got a set with an epoll, want one by poll(2)")
	}
	waits := 0
	s.OnWait = func(bool) { waits++ }
	items := []Item{{P: &readyItem{}}, {P: &readyItem{}, Want: network.Writable}}
	ready, err := s.Wait(items[1:], true, time.Time{})
	if err != nil || len(ready) != 1 || items[1].Got != network.Writable {
		t.Errorf("got %v, %v, events %b; want item 0 with %b", ready, err, items[1].Got,
			network.Writable)
	}
	if waits != 0 {
		t.Error("OnWait was called for an item that is ready")
	}
	s.Wake()
	if ready, err := s.Wait(nil, true, time.Time{}); len(ready) != 0 || err != nil || waits != 2 {
		t.Errorf("after Wake: got %v, %v, %d calls of OnWait; want none, nil, 2", ready, err, waits)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
