package memory

import "golang.org/x/sys/unix"

// slotsReusable is set where zero gives pages back.
const slotsReusable = true

// zero makes accessible bytes zero, and gives their pages back. The kernel refuses that for locked
// memory (mlockall(2)).
func zero(b []byte) {
	if len(b) > 0 && unix.Madvise(b, unix.MADV_DONTNEED) != nil {
		clear(b)
	}
}
