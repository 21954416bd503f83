//go:build !windows

package system

import "time"

func timeOfDay() time.Time { return time.Now() }
