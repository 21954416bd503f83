package threadtime

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Step is the time in which the clock advances.
const Step = 16 * time.Millisecond

var getThreadTimes = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetThreadTimes")

// Now returns the processor time of the calling OS thread (Microsoft, GetThreadTimes).
func Now() time.Duration {
	var created, exited, kernel, user uint64 // FILETIME, in units of 100 ns
	ok, _, err := getThreadTimes.Call(uintptr(windows.CurrentThread()),
		uintptr(unsafe.Pointer(&created)), uintptr(unsafe.Pointer(&exited)),
		uintptr(unsafe.Pointer(&kernel)), uintptr(unsafe.Pointer(&user)))
	if ok == 0 {
		panic(err)
	}
	return time.Duration(kernel+user) * 100
}
