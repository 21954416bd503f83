package monotonic

import (
	"math/bits"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The clock of package time has steps of 0.5 to 15.6 ms on Windows, as the system's timer ticks.
// The performance counter has steps of 100 ns. Neither function fails on Windows XP or later
// (Microsoft, QueryPerformanceCounter, QueryPerformanceFrequency).
var (
	kernel32                  = windows.NewLazySystemDLL("kernel32.dll")
	queryPerformanceCounter   = kernel32.NewProc("QueryPerformanceCounter").Addr()
	queryPerformanceFrequency = kernel32.NewProc("QueryPerformanceFrequency").Addr()

	frequency = max(query(queryPerformanceFrequency), 1)
)

func query(function uintptr) (n uint64) {
	syscall.SyscallN(function, uintptr(unsafe.Pointer(&n)))
	return n
}

// Now returns the time since an arbitrary moment.
func Now() time.Duration {
	// The product of ticks and ns may need more than 64 bits.
	high, low := bits.Mul64(query(queryPerformanceCounter), uint64(time.Second))
	ns, _ := bits.Div64(high%frequency, low, frequency)
	return time.Duration(ns)
}
