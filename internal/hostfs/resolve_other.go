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

var errUnsure = errors.New("not known to this kernel")

// These kernels have nothing like RESOLVE_BENEATH: every path is walked.
func openBeneath(int, string, int, uint32) (int, error) {
	return -1, errUnsure
}

func mustWalk(int) bool {
	return true
}
