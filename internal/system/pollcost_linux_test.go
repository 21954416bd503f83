//go:build !portable

package system

import (
	"slices"
	"testing"

	"github.com/wasport/wasport/internal/gramine"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// askedNetwork counts how often a set asks its sockets for their descriptors, which it does for
// each registration that it makes, changes or removes.
type askedNetwork struct {
	network.Network
	asked *int
}

func (n askedNetwork) Open(f network.Family, t network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, t)
	return askedSocket{s, n.asked}, err
}

type askedSocket struct {
	network.Socket
	asked *int
}

func (s askedSocket) Readiness() network.Readiness {
	way := s.Socket.Readiness()
	control := way.Control
	way.Control = func(f func(uintptr)) error {
		*s.asked++
		return control(f)
	}
	return way
}

// TestChangedSetCostsItsChanges counts how often sockets are asked for their descriptors, while the
// set of a thread changes.
func TestChangedSetCostsItsChanges(t *testing.T) {
	if gramine.Inside() {
		return // no set keeps registrations there
	}
	asked := 0
	p := newPollTest(t, askedNetwork{kernel.New(kernel.Config{}), &asked})
	var fds []int32
	for range 20 {
		fd, _ := p.open()
		fds = append(fds, fd)
	}
	all := subscribe(fds...)
	writes := slices.Clone(all)
	writes[7].Kind = Writing
	p.poll(subscribe(fds[19]))
	if asked != 1 {
		t.Errorf("one socket: got %d asked, want it", asked)
	}
	for _, step := range []struct {
		name string
		in   []Subscription
		most int
	}{
		{"first", all[:10], 11}, // 10 are added, and the one before is removed
		{"the same", all[:10], 0},
		{"grown by one", all[:11], 1},
		{"grown by another", all[:12], 1},
		{"shrunk by one", all[:11], 1},
		{"without the first", all[1:11], 1},
		{"with it in front", all[:11], 1},
		{"turned around", slices.Concat(all[6:11], all[:6]), 0},
		{"back", all[:11], 0},
		{"one writes", writes[:11], 1},
		{"one reads again", all[:11], 1},
		{"a number twice", append(slices.Clone(all[:11]), all[3]), 0},
		{"without all", nil, 11},
	} {
		before := asked
		p.poll(step.in)
		if got := asked - before; got > step.most {
			t.Errorf("%s: got %d sockets asked, want at most %d", step.name, got, step.most)
		}
	}
}
