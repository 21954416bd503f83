//go:build unix && !linux

package hostfs

import (
	"errors"

	"golang.org/x/sys/unix"
)

const (
	searchFlag = unix.O_RDONLY
	largeFile  = 0
)

var errMustWalk = errors.New("not known to this kernel")

// openBeneath does nothing: these kernels have no call like openat2(2), so every path is walked.
func openBeneath(int, string, int, uint32) (int, error) {
	return -1, errMustWalk
}

func mustWalk(int) bool {
	return true
}
