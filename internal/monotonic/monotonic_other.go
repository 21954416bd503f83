//go:build !windows

package monotonic

import "time"

var started = time.Now()

// Now returns the time since an arbitrary moment.
func Now() time.Duration { return time.Since(started) }
