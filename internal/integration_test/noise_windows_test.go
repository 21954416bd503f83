package integration_test

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// noiseFactor is by how much bounds of times are higher, since the system tells what other programs
// add in ticks of its clock only.
const noiseFactor = 50

var procGetSystemTimes = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemTimes")

// runQueueWait is how long other processes have run in total. No thread of this one has waited
// longer for a processor that had to run them.
func runQueueWait() time.Duration {
	// The kernel's time contains the idle time (Microsoft's reference of GetSystemTimes).
	var idle, kernel, user windows.Filetime
	if r, _, _ := procGetSystemTimes.Call(uintptr(unsafe.Pointer(&idle)),
		uintptr(unsafe.Pointer(&kernel)), uintptr(unsafe.Pointer(&user))); r == 0 {
		return 0
	}
	var created, exited, ownKernel, ownUser windows.Filetime
	if windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &ownKernel,
		&ownUser) != nil {
		return 0
	}
	return elapsed(kernel) + elapsed(user) - elapsed(idle) - elapsed(ownKernel) - elapsed(ownUser)
}

// elapsed converts a duration, which FILETIME holds in units of 100 ns.
func elapsed(t windows.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
