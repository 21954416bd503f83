//go:build !linux

package integration_test

import "time"

// queued is not known.
func queued() time.Duration { return 0 }
