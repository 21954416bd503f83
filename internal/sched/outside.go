package sched

// outside is the state of a thread that has left its guest.
type outside struct {
	// at is the time at which the thread left.
	at int64

	// measured is set once the thread has been outside for shortGap. From then on its clock is
	// read whenever it leaves: a first reading cannot be made afterwards.
	measured bool
	reading  reading
}

// Enter begins to count a thread that does not compute. It may wait for a turn.
func (t *Thread) Enter() { t.admit(t.s.now()) }

// Leave ends the computation that Start or Enter began. It reports whether the guest has exceeded
// its limit: a thread may leave before it ever ticks.
func (t *Thread) Leave() (exceeded bool) {
	t.leave(t.s.now())
	return t.guest.exceeded()
}

// EnterOutside begins a call of the embedder's code, which may compute or wait. The thread has no
// turn until LeaveOutside.
func (t *Thread) EnterOutside() {
	t.leave(t.s.now())
	o := &t.outside
	if o.measured {
		_, _, o.reading = t.s.clocks.read()
	}
	o.at = t.s.now()
}

// LeaveOutside ends a call of the embedder's code, and charges the time that it computed. That is
// all of a call shorter than shortGap. Of a longer one it is the time of the OS thread or, if the
// goroutine was moved to another one or the first reading is missing, the largest cost of a wait.
func (t *Thread) LeaveOutside() {
	now := t.s.now()
	if t.meter.chargedUntil.Load() != 0 {
		// The code called the guest without Enter, and the guest's ticks have counted the time.
		t.charge(now)
		t.admit(now)
		return
	}
	o := &t.outside
	computed := now - o.at
	if computed >= int64(shortGap) {
		computed = min(computed, int64(maxWaitCost))
		if o.measured {
			took, last, reading := t.s.clocks.read()
			if last == o.reading && last.sameThread(reading) {
				computed = min(now-o.at, took)
			}
		}
		o.measured = true
	}
	t.addTime(computed, now)
	t.admit(now)
}
