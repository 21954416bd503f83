package system

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

// TestTableIsReadWhileItGrows looks descriptors up while another goroutine opens, closes and
// renumbers others, so that the table grows many times. One that is open is always found,
// and no other number has it.
func TestTableIsReadWhileItGrows(t *testing.T) {
	table := table{maxOpen: 1 << 10}
	open := func() (int32, *descriptor) {
		d := newDescriptor(&lookup{}, wasi.RightPollFdReadwrite, 0)
		fd, err := table.insert(d)
		if err != nil {
			t.Fatal(err)
		}
		return fd, d
	}
	kept, want := open()
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for !done.Load() {
				if got, err := table.lookup(kept); got != want || err != nil {
					t.Errorf("got %p, %v, want %p", got, err, want)
					return
				}
				for fd := kept + 1; fd < 8; fd++ {
					if got, _ := table.lookup(fd); got == want {
						t.Errorf("got descriptor %d at %d, want another one or none", kept, fd)
						return
					}
				}
			}
		})
	}
	last := kept
	for range table.maxOpen - 1 {
		last, _ = open()
	}
	for fd := last; fd > kept+1; fd -= 2 {
		if _, err := table.move(fd, fd-1); err != nil {
			t.Errorf("move %d: got %v, want success", fd, err)
		}
		if _, err := table.remove(fd - 1); err != nil {
			t.Errorf("remove %d: got %v, want success", fd-1, err)
		}
	}
	done.Store(true)
	readers.Wait()
	if got, _ := table.lookup(last); got != nil || table.used != table.maxOpen {
		t.Errorf("got %p at %d, %d numbers used, want none, %d", got, last, table.used,
			table.maxOpen)
	}
	if fd, _ := open(); fd != kept+1 && fd != kept+2 {
		t.Errorf("got %d, want the lowest free number", fd)
	}
	for _, fd := range []int32{-1, -1 << 31, 1<<31 - 1} {
		if got, err := table.lookup(fd); err == nil {
			t.Errorf("%d: got %p, want an error", fd, got)
		}
	}
}
