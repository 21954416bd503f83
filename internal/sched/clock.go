package sched

// reading is a reading of an OS thread's processor clock: the thread's id, and the time in units of
// clockUnit, which wraps around after 13 days. 0 is no reading.
type reading uint64

const (
	// clockBits leaves 22 bits for ids of threads (proc_sys_kernel(5), pid_max).
	clockBits = 42
	clockMask = 1<<clockBits - 1
)

// sameThread reports whether two readings are of the same OS thread.
func (r reading) sameThread(other reading) bool {
	return r != 0 && r>>clockBits == other>>clockBits
}
