//go:build !linux

package policy

import (
	"testing"
	"time"
)

var processStart = time.Now()

// cpuTime is the time that has passed, which is at least the processor time.
func cpuTime(*testing.T) time.Duration { return time.Since(processStart) }
