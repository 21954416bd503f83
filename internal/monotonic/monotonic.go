// Package monotonic reads a clock that never goes back, in steps of at most a microsecond on every
// system. It measures how long something took. Waiting until a time, and times of day, do not
// belong here: package time has them.
//
// The function Now may be called from several goroutines, and does not allocate.
package monotonic

import "time"

// Since returns the time since a result of Now.
func Since(start time.Duration) time.Duration { return Now() - start }
