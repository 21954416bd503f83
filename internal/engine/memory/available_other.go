//go:build !linux

package memory

import "math"

// availableAddressSpace returns the bytes of address space that the process may still map. These
// systems either have no limit or do not report the size in use.
func availableAddressSpace() uint64 { return math.MaxUint64 }
