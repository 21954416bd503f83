//go:build !linux

package memory

import "math"

// availableAddressSpace is how much address space the process may still take. The systems here either do not limit
// it or do not tell.
func availableAddressSpace() uint64 { return math.MaxUint64 }
