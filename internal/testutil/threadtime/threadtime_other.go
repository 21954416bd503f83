//go:build !linux && !windows

package threadtime

import (
	"time"

	"github.com/wasport/wasport/internal/monotonic"
)

// Step is the time in which the clock advances.
const Step = time.Duration(0)

// Now returns the time that has passed, which is at least the processor time.
func Now() time.Duration { return monotonic.Now() }
