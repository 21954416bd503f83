package sched

// reading is what an OS thread's processor clock said: the thread's id, and the time in units that
// make it last for 13 days before it starts again. 0 is none.
type reading uint64

const (
	clockBits = 42 // Ids of threads have 22, see PID_MAX_LIMIT in the kernel's linux/threads.h.
	clockMask = 1<<clockBits - 1
	clockUnit = 256 // ns
)

// of reports whether two readings are of the same OS thread.
func (r reading) of(other reading) bool { return r != 0 && r>>clockBits == other>>clockBits }
