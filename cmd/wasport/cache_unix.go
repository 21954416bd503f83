//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// sharedWriters says why users besides this one and root can add files to a directory. It is empty
// if they cannot (inode(7)).
func sharedWriters(info fs.FileInfo) string {
	switch stat, ok := info.Sys().(*syscall.Stat_t); {
	case ok && int(stat.Uid) != os.Geteuid():
		return "belongs to another user"
	case info.Mode()&0o022 != 0:
		return "can be written to by other users"
	}
	return ""
}
