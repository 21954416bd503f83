package system

import (
	"context"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
)

// knownNames is a Network that has the answer for "known.test" at hand.
type knownNames struct {
	heldLookups
	waits int
}

func (k *knownNames) BeginLookup(_ network.Family, name string) ([]netip.Addr,
	func(context.Context) ([]netip.Addr, error), error) {
	switch name {
	case "known.test":
		return k.addrs, nil, nil
	case "refused.test":
		return nil, nil, syscall.EACCES
	}
	k.waits++
	return nil, func(ctx context.Context) ([]netip.Addr, error) {
		return k.LookupAddrs(ctx, network.AnyFamily, name)
	}, nil
}

// TestLookupAtHand looks up names that need no wait, and one that does, by both kinds of call.
func TestLookupAtHand(t *testing.T) {
	k := &knownNames{heldLookups: heldLookups{release: make(chan struct{}),
		addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}}
	th := lookupThread(t, k, 0)
	for name, want := range map[string]error{"known.test": nil, "refused.test": syscall.EACCES} {
		got, err := th.Resolve(name, "80", network.AnyFamily, network.Stream)
		if err != want || err == nil && (len(got) != 1 || got[0].Addr.Addr() != k.addrs[0]) {
			t.Errorf("%s: got %v, %v; want %v, %v", name, got, err, k.addrs, want)
		}
		fd, err := th.StartLookup(name, network.AnyFamily)
		if err != nil {
			t.Fatal(err)
		}
		// No goroutine: nothing lets this thread wait for one.
		addrs, err := th.LookupAddrs(fd)
		if err != want || err == nil && !slices.Equal(addrs, k.addrs) {
			t.Errorf("%s: got %v, %v; want %v, %v", name, addrs, err, k.addrs, want)
		}
	}
	if n := th.lookups.Load(); k.waits != 0 || n != 0 {
		t.Errorf("got %d waits and %d lookups under way, want none", k.waits, n)
	}
	fd, err := th.StartLookup("other.test", network.AnyFamily)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := th.LookupAddrs(fd); err != syscall.EAGAIN || th.lookups.Load() != 1 {
		t.Errorf("got %v and %d under way, want EAGAIN and 1", err, th.lookups.Load())
	}
	close(k.release)
	got, err := th.Resolve("other.test", "80", network.AnyFamily, network.Stream)
	if err != nil || len(got) != 1 || k.waits != 2 {
		t.Errorf("got %v, %v after %d waits; want an address after 2", got, err, k.waits)
	}
}
