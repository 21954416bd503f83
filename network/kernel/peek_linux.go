package kernel

import (
	"sync"

	"golang.org/x/sys/unix"
)

// kernelPeeks reports whether the kernel can peek at a datagram. Linux can; library operating
// systems that stand in for it may not, and answer EOPNOTSUPP.
var kernelPeeks = sync.OnceValue(func() bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return true
	}
	defer unix.Close(fd)
	var b [1]byte
	_, _, err = unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err != unix.EOPNOTSUPP
})
