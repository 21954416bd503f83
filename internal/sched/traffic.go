package sched

import (
	"sync"
	"sync/atomic"
	"time"
)

// How a thread is charged the wakes of Go's poller:
//
// A socket that has waited is registered with Go's poller (epoll(7), EPOLLET). From then on each
// arrival, and each datagram that leaves, wakes the OS thread on which the Go runtime waits for the
// network, whether a goroutine waits for the socket or not. That thread finds nothing to do, and
// waits again. A guest that sends to its own sockets, and always finds data there, keeps that
// thread as busy as its own, which nothing else charges. The cost of a wake differs between
// machines by more than 2, so it is measured: it is part of the time that the process computes and
// no guest is charged. The rest of that is the embedder's. So a guest is charged at most maxWake
// for each of its transfers, and at most as much again as it has computed. If the processors are
// saturated, no thread waits for the network alone.
const (
	// trafficEvery is the computed time after which a thread is charged for its traffic.
	trafficEvery = 2 * time.Millisecond

	maxWake = 15 * time.Microsecond

	// usualWake is charged where the processor time of the process is not known, up to a third of
	// the thread's own time.
	usualWake = 2 * time.Microsecond
)

// traffic counts the transfers of a thread since it was last charged for them.
type traffic struct {
	transfers int64
	// computed is the time that the thread has computed meanwhile, in ns.
	computed int64
}

// CountTransfer tells that the thread sends to a socket or receives from it. Go's poller may wake.
func (t *Thread) CountTransfer() { t.meter.traffic.transfers++ }

// wait notes a wait of the thread. The charge for it includes the wake that ends it, and so that of
// a transfer before it and of one after it.
func (t *traffic) wait() { t.transfers = max(t.transfers-2, 0) }

// chargeTraffic charges the wakes of Go's poller that the thread's traffic has caused.
func (t *Thread) chargeTraffic(now int64) {
	m := &t.meter
	since := m.traffic
	m.traffic = traffic{}
	if since.transfers == 0 || t.s.saturated.Load() {
		return
	}
	t.flush(now)
	cost, known := t.s.uncharged.take(min(since.computed, since.transfers*int64(maxWake)))
	if !known {
		cost = min(since.computed/3, since.transfers*int64(usualWake))
	}
	m.computed.Store(m.computed.Load() + cost)
	t.guest.computed.Add(cost)
}

// uncharged is the time that the process has computed and no guest is charged.
type uncharged struct {
	// charged is the sum of all charges, in ns.
	charged atomic.Int64

	// mu protects the fields below.
	mu sync.Mutex
	// process and chargedThen are the processor time of the process and charged at the last
	// reading.
	process, chargedThen int64
	// balance is the time that was not charged until then, at most trafficEvery: older time is not
	// of the traffic that is charged now.
	balance int64
}

// take takes at most so many ns. It reports false where the processor time of the process is not
// known.
func (u *uncharged) take(most int64) (ns int64, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	process, charged := processTime(), u.charged.Load()
	if process == 0 {
		return 0, false
	}
	if u.process != 0 {
		u.balance += (process - u.process) - (charged - u.chargedThen)
		u.balance = min(max(u.balance, 0), int64(trafficEvery))
	}
	u.process, u.chargedThen = process, charged
	ns = min(most, u.balance)
	u.balance -= ns
	return ns, true
}
