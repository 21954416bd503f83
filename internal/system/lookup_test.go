package system

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

// heldLookups is a Network whose lookups end when release is closed or, unless deaf, with their
// context. It refuses to look up "denied.test".
type heldLookups struct {
	network.Network
	release chan struct{}
	addrs   []netip.Addr
	err     error
	deaf    bool
	running sync.WaitGroup
}

func (h *heldLookups) CheckOpen(network.Type) error { return nil }

func (h *heldLookups) CheckLookup(name string) error {
	if name == "denied.test" {
		return syscall.EACCES
	}
	return nil
}

func (h *heldLookups) LookupAddrs(ctx context.Context, _ network.Family,
	_ string) ([]netip.Addr, error) {
	h.running.Add(1)
	defer h.running.Done()
	done := ctx.Done()
	if h.deaf {
		done = nil
	}
	select {
	case <-h.release:
		return h.addrs, h.err
	case <-done:
		return nil, ctx.Err()
	}
}

func lookupThread(t *testing.T, n network.Network, maxDescriptors int) *Thread {
	t.Helper()
	return threadOf(t, Config{Network: n, MaxDescriptors: maxDescriptors})
}

func threadOf(t *testing.T, c Config) *Thread {
	t.Helper()
	th, _ := scheduledThread(t, c)
	return th
}

// scheduledThread makes a guest with one thread, and checks that it leaves no goroutine.
func scheduledThread(t *testing.T, c Config) (*Thread, *sched.Scheduler) {
	t.Helper()
	testutil.NoGoroutineLeak(t)
	g, err := New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	s := sched.New()
	t.Cleanup(s.Close)
	th := g.NewThread(s)
	t.Cleanup(th.Close)
	return th, s
}

// TestLookupIsPolled starts a lookup, polls until it ends, and reads its result twice.
func TestLookupIsPolled(t *testing.T) {
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	failed := &network.LookupError{Name: "name.test", Failure: network.ServerFailure}
	for _, test := range []struct {
		name  string
		addrs []netip.Addr
		err   error
	}{{"answer", addrs, nil}, {"failure", nil, failed}} {
		t.Run(test.name, func(t *testing.T) {
			n := &heldLookups{release: make(chan struct{}), addrs: test.addrs, err: test.err}
			th := lookupThread(t, n, 0)
			fd, err := th.StartLookup("name.test", network.AnyFamily)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := th.LookupAddrs(fd); err != syscall.EAGAIN {
				t.Errorf("under way: got %v, want %v", err, syscall.EAGAIN)
			}
			in := []Subscription{{Kind: Reading, FD: fd}, {Kind: Timer}}
			events, err := th.Poll(in, false)
			if err != nil || len(events) != 1 || events[0].Index != 1 {
				t.Errorf("under way: got events %v, %v, want the timer's", events, err)
			}
			close(n.release)
			if events, err = th.Poll(in[:1], false); err != nil || events[0].Err != nil {
				t.Fatalf("got events %v, %v, want none with an error", events, err)
			}
			for range 2 {
				got, err := th.LookupAddrs(fd)
				if !slices.Equal(got, test.addrs) || !errors.Is(err, test.err) {
					t.Errorf("got %v, %v, want %v, %v", got, err, test.addrs, test.err)
				}
			}
			if err := th.CloseFD(fd); err != nil {
				t.Errorf("close: got %v, want success", err)
			}
		})
	}
}

// TestLookupEnds closes the descriptor of a lookup, and ends a guest that waits for one. Both end
// the lookup.
func TestLookupEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*Thread, int32) error
		want error
	}{
		{"close", func(th *Thread, fd int32) error { return th.CloseFD(fd) }, syscall.EBADF},
		{"kill", func(th *Thread, fd int32) error { th.Kill(ErrCPU); return nil }, ErrCPU},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := &heldLookups{release: make(chan struct{})}
			th := lookupThread(t, n, 0)
			fd, err := th.StartLookup("name.test", network.AnyFamily)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- test.end(th, fd) }()
			events, err := th.Poll([]Subscription{{Kind: Reading, FD: fd}}, false)
			if err == nil {
				err = events[0].Err
			}
			if err != test.want && !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
			n.running.Wait()
		})
	}
}

// TestLookupRefusals starts lookups that fail before they begin.
func TestLookupRefusals(t *testing.T) {
	n := &heldLookups{release: make(chan struct{})}
	for _, test := range []struct {
		name, host     string
		net            network.Network
		maxDescriptors int
		want           error
	}{
		{"no network", "name.test", nil, 0, syscall.EACCES},
		{"policy", "denied.test", n, 0, syscall.EACCES},
		{"no descriptor left", "name.test", n, 3, syscall.EMFILE},
	} {
		t.Run(test.name, func(t *testing.T) {
			th := lookupThread(t, test.net, test.maxDescriptors)
			if fd, err := th.StartLookup(test.host, network.AnyFamily); err != test.want {
				t.Errorf("got %d, %v, want %v", fd, err, test.want)
			}
		})
	}
}

// TestLookupsOfADeafResolverAreBounded starts and closes lookups of a resolver that goes on after
// their end.
func TestLookupsOfADeafResolverAreBounded(t *testing.T) {
	n := &heldLookups{release: make(chan struct{}), deaf: true}
	th := lookupThread(t, n, 0)
	for i := range maxLookups + 1 {
		fd, err := th.StartLookup("name.test", network.AnyFamily)
		if i < maxLookups {
			if err == nil {
				err = th.CloseFD(fd)
			}
			if err != nil {
				t.Fatal(err)
			}
		} else if err != syscall.EAGAIN {
			t.Errorf("got %v for one more, want %v", err, syscall.EAGAIN)
		}
	}
	close(n.release)
}

// TestLookupAddrsOfAnotherDescriptor asks descriptors that are no lookups.
func TestLookupAddrsOfAnotherDescriptor(t *testing.T) {
	th := lookupThread(t, nil, 0)
	for _, fd := range []int32{0, 99, -1} {
		if _, err := th.LookupAddrs(fd); err != syscall.EBADF {
			t.Errorf("fd %d: got %v, want %v", fd, err, syscall.EBADF)
		}
	}
}
