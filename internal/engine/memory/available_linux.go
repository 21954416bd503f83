package memory

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// availableAddressSpace returns the bytes of address space that the process may still map:
// RLIMIT_AS (getrlimit(2)) less the size in /proc/self/statm (proc_pid_statm(5)). Go's runtime ends
// the process when it can map none for its heap or a thread.
func availableAddressSpace() uint64 {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_AS, &limit)
	if err != nil || limit.Cur == unix.RLIM_INFINITY {
		return math.MaxUint64
	}
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return limit.Cur
	}
	var pages uint64
	if _, err := fmt.Sscan(string(b), &pages); err != nil {
		return limit.Cur
	}
	return limit.Cur - min(limit.Cur, pages*uint64(os.Getpagesize()))
}
