//go:build !linux

package integration_test

import "time"

// runQueueWait is not known.
func runQueueWait() time.Duration { return 0 }
