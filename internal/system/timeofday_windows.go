package system

import (
	"time"

	"golang.org/x/sys/windows"
)

// timeOfDay reads the system's clock in steps of 100 ns. That of package time may be a step of 15.6
// ms behind, and so before a time for which a guest has just waited.
func timeOfDay() time.Time {
	var t windows.Filetime
	windows.GetSystemTimePreciseAsFileTime(&t)
	return time.Unix(0, t.Nanoseconds())
}
