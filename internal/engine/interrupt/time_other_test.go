//go:build !linux

package interrupt

import "time"

var began = time.Now()

func threadTime() time.Duration { return time.Since(began) }
