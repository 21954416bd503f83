//go:build !linux

package kernel

import "github.com/wasport/wasport/network"

// autotuneLimits returns more than these systems tune the buffers of TCP up to by default.
func autotuneLimits() (recv, send int64) { return 16 << 20, 16 << 20 }

// sendQueueMemory returns 0: these systems do not report it, so that the unsent bytes of a closed
// socket are not followed.
func sendQueueMemory(descriptor) (int64, error) { return 0, nil }

func dupUnsent(descriptor) network.Unsent { return nil }
