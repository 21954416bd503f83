package system

import (
	"context"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// lookup is the object of a lookup under way, for guests that poll for its end. It is readable once
// there is an answer or an error. A goroutine runs the lookup, since a resolver may ignore its
// context.
//
// mu protects the fields below it. wakers are called with mu held.
type lookup struct {
	stream
	cancel context.CancelFunc

	mu    sync.Mutex
	done  bool
	addrs []netip.Addr
	err   error

	// took is the processor time of the lookup that its guest was not charged for yet.
	took   time.Duration
	wakers map[*func()]struct{}
}

// maxLookups limits the lookups under way that StartLookup began, those included whose descriptors
// are closed: a resolver may go on.
const maxLookups = 256

// StartLookup begins to look up a host name, which is not an address literal, and returns a
// descriptor for LookupAddrs. Closing it ends the lookup. A name that the policy refuses is EACCES
// at once. Beyond maxLookups it
// returns EAGAIN.
func (t *Thread) StartLookup(host string, family network.Family) (int32, error) {
	if err := t.checkRoom(); err != nil {
		return -1, err
	}
	if err := t.checkLookup(host); err != nil {
		return -1, err
	}
	if t.lookups.Add(1) > maxLookups {
		t.lookups.Add(-1)
		return -1, syscall.EAGAIN
	}
	ctx, cancel := context.WithCancel(t.ctx)
	l := &lookup{cancel: cancel, wakers: make(map[*func()]struct{})}
	go outside.Protect("Config.Network", func() {
		err, addrs := error(syscall.EIO), []netip.Addr(nil) // if the resolver panics
		var took time.Duration
		defer func() {
			t.lookups.Add(-1)
			l.finish(addrs, err, took)
		}()
		took = t.schedThread.Measure(func() {
			addrs, err = t.network.LookupAddrs(ctx, family, host)
		})
	}, t.KillForPanic)
	d := newDescriptor(l, wasi.RightPollFdReadwrite, 0)
	d.nonblock.Store(true)
	return t.insert(d)
}

// LookupAddrs returns the answer of a lookup, in the order in which a caller should try the
// addresses: EAGAIN while the lookup is under way, and the errors of network.Resolver.
func (t *Thread) LookupAddrs(fd int32) ([]netip.Addr, error) {
	d, err := t.table.lookup(fd)
	if err != nil {
		return nil, err
	}
	l, ok := d.object.(*lookup)
	if !ok {
		return nil, syscall.EBADF
	}
	l.mu.Lock()
	addrs, err, took := l.addrs, l.err, l.took
	if !l.done {
		err = syscall.EAGAIN
	}
	l.took = 0
	l.mu.Unlock()
	t.schedThread.Charge(took)
	return addrs, t.endReasonIfFailed(err)
}

// finish stores the result and wakes the waiters.
func (l *lookup) finish(addrs []netip.Addr, err error, took time.Duration) {
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done, l.addrs, l.err, l.took = true, addrs, err, took
	for wake := range l.wakers {
		(*wake)()
	}
}

func (l *lookup) close() error {
	l.cancel()
	return nil
}

func (l *lookup) Poll(want network.Events) (network.Events, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done {
		return 0, nil
	}
	return want & network.Readable, nil
}

func (l *lookup) Readiness() network.Readiness {
	return network.Readiness{Notify: func(_ network.Events, wake func()) (stop func()) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.wakers[&wake] = struct{}{}
		if l.done {
			wake()
		}
		return func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			delete(l.wakers, &wake)
		}
	}}
}
