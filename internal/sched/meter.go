package sched

import (
	"sync/atomic"
	"time"
)

// How a thread is charged the time that it computes:
//
// To read the processor clock of an OS thread takes 0.7 usec, too long for each reading, which come
// every 2 to 5 usec while a guest computes. So the gap between two readings of the wall clock is
// charged as it is while it is shorter than shortGap, since a thread does not lose its processor
// for so short. A longer gap is charged at most the time that the OS thread has computed since its
// last reading, by any goroutine. Every thread reads the processor clock once it has been charged
// readEvery.
const (
	shortGap  = 50 * time.Microsecond
	readEvery = 200 * time.Microsecond

	// flushEvery is the computed time after which a thread's time is added to its guest's.
	flushEvery = 20 * time.Microsecond

	// A wait costs processor time: the Go runtime and the kernel stop a thread, set a timer, look
	// for other work and wake the thread. That takes 2 usec if much is ready to run, and 10 to 60
	// usec if nothing is, since OS threads then wake each other. One wait of sampleEvery is
	// measured, and each is charged the mean. The cost of a wait that ends on the same OS thread is
	// read from its clock and doubled, for the other thread that was woken.
	sampleEvery = 8
	busyWait    = 2 * time.Microsecond
	// idleWait is the least cost of a wait while processors are idle.
	idleWait    = 10 * time.Microsecond
	movedWait   = 60 * time.Microsecond
	maxWaitCost = 100 * time.Microsecond
	// longWait is how long a wait is after which OS threads have gone to sleep. They look for other
	// work before that, which makes the wait cost half as much again.
	longWait = 200 * time.Microsecond
)

// meter counts the time that a thread computes. Other goroutines read its atomic fields.
type meter struct {
	// chargedUntil is the time until which the thread is charged, or 0 while it does not compute.
	chargedUntil atomic.Int64
	// computed is the sum of all charges, in ns.
	computed atomic.Int64
	// unflushed is the part of computed that is not yet added to the guest's.
	unflushed int64
	// active is the time in which the thread did not wait, since the last flush.
	active int64
	// sinceReading is the part of computed that was charged since reading.
	sinceReading int64
	reading      reading

	traffic traffic

	// waitStart is the time at which the last wait began.
	waitStart int64
	waits     uint32
	// waitCost is the mean cost of the measured waits, in ns.
	waitCost int64
}

// charge charges the time until now. If the thread is not known to compute, it begins to.
func (t *Thread) charge(now int64) {
	m := &t.meter
	at := m.chargedUntil.Swap(now)
	if at == 0 {
		return
	}
	gap := now - at
	m.active += gap
	if m.sinceReading+gap < int64(readEvery) && gap < int64(shortGap) {
		m.sinceReading += gap
	} else {
		gap = t.chargeable(gap)
		m.sinceReading = 0
	}
	t.addTime(gap, now)
	if m.traffic.computed >= int64(trafficEvery) {
		t.chargeTraffic(now)
	}
}

// chargeable reads the clock of the OS thread and returns the part of a gap that is charged.
func (t *Thread) chargeable(gap int64) int64 {
	m := &t.meter
	computed, last, now := t.s.clocks.read()
	mine := last == m.reading
	m.reading = now
	switch {
	case !last.sameThread(now):
		// The last reading is of another OS thread.
		return gap
	case mine:
		// No other goroutine has read the clock since, so the thread computed on it all that it was
		// charged.
		return min(gap, max(computed-m.sinceReading, 0))
	case gap >= int64(shortGap):
		return min(gap, computed)
	}
	return gap
}

func (t *Thread) addTime(ns, now int64) {
	m := &t.meter
	m.computed.Store(m.computed.Load() + ns)
	m.traffic.computed += ns
	if m.unflushed += ns; m.unflushed >= int64(flushEvery) {
		t.flush(now)
	}
}

func (t *Thread) flush(now int64) {
	t.s.uncharged.charged.Add(t.meter.unflushed)
	t.guest.addTime(t.meter.unflushed, t.meter.active, now)
	t.meter.unflushed, t.meter.active = 0, 0
}

// ChargeGarbage charges the time to collect so many bytes of the host's memory, which a call of the
// guest has allocated. The Go runtime collects them in other threads: without this charge, a guest
// that causes much garbage would have a third of a processor more than its limit.
func (t *Thread) ChargeGarbage(bytes int) {
	t.Charge(time.Duration(t.s.garbage.of(bytes, t.s.now())))
}

// beginWait notes that a wait begins, and reads the clock if it is measured.
func (t *Thread) beginWait(now int64) {
	t.meter.waitStart = now
	t.meter.traffic.wait()
	if t.meter.waits%sampleEvery == 0 {
		_, _, t.meter.reading = t.s.clocks.read()
		t.meter.sinceReading = 0
	}
}

// endWait charges a wait.
func (t *Thread) endWait(now int64) {
	m := &t.meter
	if m.waits%sampleEvery == 0 {
		// busyWait is right if the processors are saturated: other threads had this one's
		// meanwhile.
		cost := int64(busyWait)
		took, last, now := t.s.clocks.read()
		switch {
		case t.s.saturated.Load():
		case now == 0:
			cost = int64(idleWait)
		case last == m.reading && last.sameThread(now):
			cost = min(max(2*took+took/2, int64(idleWait)), int64(maxWaitCost))
		default:
			cost = int64(movedWait)
		}
		if m.waits == 0 {
			m.waitCost = cost
		}
		m.waitCost += (cost - m.waitCost) / 4
	}
	m.waits++
	cost := m.waitCost
	if now-m.waitStart >= int64(longWait) && !t.s.saturated.Load() {
		cost += cost / 2
	}
	t.addTime(cost, now)
}

// ChargeNow charges the time until now.
func (t *Thread) ChargeNow() { t.charge(t.s.now()) }

// Computed returns the time that the thread has computed. Any goroutine may call it. The part since
// the last reading of the clock is an upper bound.
func (t *Thread) Computed() time.Duration {
	ns := t.meter.computed.Load()
	if at := t.meter.chargedUntil.Load(); at != 0 {
		ns += max(t.s.now()-at, 0)
	}
	return time.Duration(ns)
}

// Guest is the state that the threads of a guest share. The zero value has no limit.
type Guest struct {
	// Limit is the time that the guest may compute; 0 is no limit.
	Limit time.Duration

	computed atomic.Int64

	// busy tells that the guest's threads computed, or were ready to, for more than half of the
	// last window. Their computed time alone does not tell it if other programs have the
	// processors.
	busy        atomic.Bool
	active      atomic.Int64
	windowStart atomic.Int64
	// windowBase is the value of active at windowStart.
	windowBase atomic.Int64

	share share
}

// window is how long a guest may compute before it has to take turns.
const window = 10 * time.Millisecond

func (g *Guest) exceeded() bool { return g.Limit > 0 && g.computed.Load() > int64(g.Limit) }

func (g *Guest) addTime(computed, active, now int64) {
	g.computed.Add(computed)
	sum := g.active.Add(active)
	used, start := sum-g.windowBase.Load(), g.windowStart.Load()
	busy := g.busy.Load()
	if length := now - start; length >= int64(window) && g.windowStart.CompareAndSwap(start, now) {
		g.windowBase.Store(sum)
		g.busy.Store(used > length/2)
	} else if !busy && used > int64(window)/2 {
		g.busy.Store(true)
	}
}
