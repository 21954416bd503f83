//go:build !linux && !windows

package integration_test

import "time"

// noiseFactor is by how much bounds of times are higher since the system does not tell what other
// programs add. Without a bound in the code that is tested, times are higher still.
const noiseFactor = 50

// runQueueWait is not known.
func runQueueWait() time.Duration { return 0 }
