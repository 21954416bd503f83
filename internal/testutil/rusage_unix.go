//go:build unix

package testutil

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ProcessorTime returns the user and system time of this process, with all of its threads
// (getrusage(2)).
func ProcessorTime(t testing.TB) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
