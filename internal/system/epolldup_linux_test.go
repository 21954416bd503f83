//go:build !portable

package system

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network/kernel"
)

// TestEpollTakesNoDescriptorForEachNumber registers one socket and one pipe under many numbers. The
// host's descriptors are not the guest's to take, and each registration costs the calls that make
// the object ready.
func TestEpollTakesNoDescriptorForEachNumber(t *testing.T) {
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	th, _ := scheduledThread(t, Config{Network: kernel.New(kernel.Config{})})
	for _, source := range epollSources {
		t.Run(source.name, func(t *testing.T) {
			fd, write, read := source.open(t, th)
			e := newEpollTest(t, th)
			before := count()
			for n := range maxInterests + 1 {
				copied, err := th.Dup(fd, int32(100+n))
				if err != nil {
					t.Fatal(err)
				}
				want := error(nil)
				if n == maxInterests {
					want = syscall.ENOSPC
				}
				events := []EpollEvents{EpollIn, EpollOut, EpollIn | EpollOut | EpollEdge}[n%3]
				if err := th.EpollControl(e.ep, EpollAdd, copied, events, 0); err != want {
					t.Fatalf("registration %d: got %v, want %v", n, err, want)
				}
				th.CloseFD(copied)
			}
			if got := count(); got > before {
				t.Errorf("got %d descriptors of the host more, want none", got-before)
			}
			read()
			th.EpollWait(e.ep, 1000, 0)
			write()
			readable := 0
			events, err := th.EpollWait(e.ep, 1000, 0)
			for _, x := range events {
				if x.Events&EpollIn != 0 {
					readable++
				}
			}
			want := maxInterests - maxInterests/3
			if readable != want || err != nil {
				t.Errorf("got %d readable registrations, %v, want %d", readable, err, want)
			}
			th.CloseFD(e.ep)
		})
	}
}

// TestEpollTriggersEachNumber registers a socket under two numbers, which are told of their own
// events and changes alone.
func TestEpollTriggersEachNumber(t *testing.T) {
	for _, source := range epollSources {
		t.Run(source.name, func(t *testing.T) {
			th, _ := scheduledThread(t, Config{Network: kernel.New(kernel.Config{})})
			fd, write, read := source.open(t, th)
			e := newEpollTest(t, th)
			numbered := func(fd int32) string { return fmt.Sprintf("%d: %d", fd, EpollIn) }
			const second = 20
			if err := th.DupTo(fd, second); err != nil {
				t.Fatal(err)
			}
			e.control(EpollAdd, fd, EpollIn|EpollEdge)
			e.control(EpollAdd, second, EpollIn|EpollOneshot)
			e.want("before data")
			write()
			e.want("data", numbered(fd), numbered(second))
			e.want("both told")
			e.control(EpollModify, second, EpollIn|EpollOneshot)
			e.want("the second armed again", numbered(second))
			e.control(EpollDelete, fd, 0)
			e.control(EpollModify, second, EpollIn)
			e.want("the second alone", numbered(second))
			e.control(EpollAdd, fd, EpollIn|EpollEdge)
			e.want("the first again", numbered(fd), numbered(second))
			e.control(EpollDelete, second, 0)
			read()
			e.want("read")
			write()
			e.want("new data", numbered(fd))
		})
	}
}
