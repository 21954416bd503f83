//go:build unix

package memory

import (
	"math"

	"golang.org/x/sys/unix"
)

// reserve returns n bytes of address space without access.
func reserve(n uint64) ([]byte, error) {
	if n == 0 {
		return []byte{}, nil
	}
	if n > math.MaxInt {
		return nil, unix.ENOMEM
	}
	return unix.Mmap(-1, 0, int(n), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|noReserve)
}

// commit makes the bytes from one offset to another readable and writable. They are zero.
func commit(b []byte, from, to uint64) error {
	if from == to {
		return nil
	}
	return unix.Mprotect(b[from:to], unix.PROT_READ|unix.PROT_WRITE)
}

// release unmaps the range that reserve returned.
func release(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	return unix.Munmap(b)
}
