package memory

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// availableAddressSpace is how much address space the process may still take: what RLIMIT_AS (getrlimit(2)) leaves
// of it. Go's runtime ends the process when it gets none for its heap or for a thread.
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
