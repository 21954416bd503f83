//go:build unix

package poll

import (
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

// controlled is a Pollable that counts the calls of its Control.
type controlled struct {
	fd    int
	calls int
}

func (c *controlled) Poll(network.Events) (network.Events, error) { return 0, nil }
func (c *controlled) Available() (int, error)                     { return 0, nil }
func (c *controlled) Readiness() network.Readiness {
	return network.Readiness{Control: func(f func(uintptr)) error {
		c.calls++
		f(uintptr(c.fd))
		return nil
	}}
}

// TestPollSetEntersEachControlOnce checks that descriptors bound the depth of a wait, and not
// the subscriptions of a guest.
func TestPollSetEntersEachControlOnce(t *testing.T) {
	s, err := newPollSet()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	readable, err := newWaker()
	if err != nil {
		t.Fatal(err)
	}
	defer readable.close()
	readable.wake()
	ends := [2]*controlled{{fd: readable.out}, {fd: readable.in}}
	items := make([]Item, 100)
	for i := range items {
		items[i] = Item{P: ends[i%2], Want: network.Readable}
	}
	for wait := 1; wait <= 2; wait++ {
		ready, err := s.Wait(items, false, time.Time{})
		if err != nil || len(ready) != len(items)/2 {
			t.Errorf("got %d ready items, %v, want %d", len(ready), err, len(items)/2)
		}
		for _, end := range ends {
			if end.calls != wait {
				t.Errorf("got %d calls of Control after %d waits, want %d", end.calls, wait, wait)
			}
		}
	}
}
