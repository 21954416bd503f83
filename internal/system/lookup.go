package system

import (
	"context"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// lookup is the object of a lookup under way, for guests that poll for its end. It is readable once
// there is an answer or an error. A goroutine runs a lookup that may wait, since a resolver may
// ignore its context.
type lookup struct {
	stream
	cancel context.CancelFunc

	// done is set once the fields below it have the result.
	done  Signal
	addrs []netip.Addr
	err   error
}

// maxLookups limits the lookups under way that StartLookup began, those included whose descriptors
// are closed: a resolver may go on.
const maxLookups = 256

// StartLookup begins to look up a host name, which is not an address literal, and returns a
// descriptor for LookupAddrs. Closing it ends the lookup. Errors: EACCES for a name that the policy
// refuses, EINVAL for a text that is no name, EAGAIN beyond maxLookups.
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
	d := newDescriptor(t.startLookup(host, family), wasi.RightPollFdReadwrite, 0)
	d.nonblock.Store(true)
	return t.insert(d)
}

// startLookup begins a lookup, which its caller has counted among t.lookups.
func (t *Thread) startLookup(host string, family network.Family) *lookup {
	l := &lookup{cancel: func() {}, err: syscall.EIO} // if the resolver panics
	end := func() {
		t.lookups.Add(-1)
		l.done.Set()
	}
	var wait func(context.Context) ([]netip.Addr, error)
	outside.Protect("Config.Network", func() {
		var addrs []netip.Addr
		var err error
		if addrs, wait, err = t.beginLookup(family, host); wait == nil {
			l.addrs, l.err = addrs, err
		}
	}, t.KillForPanic)
	if wait == nil {
		t.chargeAnswer(l.addrs)
		end()
		return l
	}
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(t.ctx)
	go func() {
		defer end()
		defer l.cancel()
		outside.Protect("Config.Network", func() {
			t.elsewhere.Add(int64(t.schedThread.Measure(func() {
				l.addrs, l.err = wait(ctx)
			})))
		}, t.KillForPanic)
	}()
	return l
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
	if !l.done.IsSet() {
		return nil, syscall.EAGAIN
	}
	return l.addrs, t.endReasonIfFailed(l.err)
}

func (l *lookup) close() error {
	l.cancel()
	return nil
}

func (l *lookup) Poll(want network.Events) (network.Events, error) { return l.done.Poll(want) }
func (l *lookup) Readiness() network.Readiness                     { return l.done.Readiness() }
