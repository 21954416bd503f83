//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile waits until no other process has locked a file, and keeps it locked until it is closed
// (flock(2)).
func lockFile(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			return err
		}
	}
}
