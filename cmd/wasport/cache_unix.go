//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// othersWrite says who else could put something into a directory; "" = nobody but the
// administrator.
func othersWrite(info fs.FileInfo) string {
	switch stat, ok := info.Sys().(*syscall.Stat_t); {
	case ok && int(stat.Uid) != os.Geteuid():
		return "belongs to another user"
	case info.Mode()&0o022 != 0:
		return "can be written to by other users"
	}
	return ""
}
