package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile waits until no other process has locked a file, and keeps it locked until it is closed.
// The byte is one that no file has, since others could not read it meanwhile (LockFileEx).
func lockFile(f *os.File) error {
	const beyond = 1<<31 - 1
	at := windows.Overlapped{OffsetHigh: beyond}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &at)
}
