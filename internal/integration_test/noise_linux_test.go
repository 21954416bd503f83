package integration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// noiseFactor is by how much bounds of times are higher since the system does not tell what other
// programs add.
const noiseFactor = 1

// runQueueWait is how long this process's threads have been ready to run in total, while the
// processors were busy with other things. On a machine that has nothing else to do it hardly grows.
func runQueueWait() (total time.Duration) {
	all, _ := filepath.Glob("/proc/self/task/*/schedstat")
	for _, name := range all {
		var ran, waited time.Duration
		if b, err := os.ReadFile(name); err == nil { // a thread may end
			fmt.Sscan(string(b), &ran, &waited)
			total += waited
		}
	}
	return total
}
