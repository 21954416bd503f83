package integration_test

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// commitCharge returns the bytes of private memory that the process has committed, which Windows
// charges against the memory and paging files of the system (Microsoft, VirtualAlloc, MEM_COMMIT).
// It adds up the process's ranges: Wine's counters of processes tell touched pages instead.
func commitCharge(t *testing.T) (total uint64) {
	t.Helper()
	const private = 0x20000 // MEM_PRIVATE
	var m windows.MemoryBasicInformation
	for at := uintptr(0); windows.VirtualQuery(at, &m, unsafe.Sizeof(m)) == nil; {
		if m.State == windows.MEM_COMMIT && m.Type == private {
			total += uint64(m.RegionSize)
		}
		if at = m.BaseAddress + m.RegionSize; at < m.BaseAddress {
			break
		}
	}
	return total
}
