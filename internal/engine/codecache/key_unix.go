//go:build unix

package codecache

import (
	"io/fs"
	"os"
	"syscall"
)

// keyExposure returns the reason that another user could have read or chosen the key. It is empty
// if none could but root.
func keyExposure(info fs.FileInfo) string {
	switch stat, ok := info.Sys().(*syscall.Stat_t); {
	case !info.Mode().IsRegular():
		return "is no regular file"
	case ok && int(stat.Uid) != os.Geteuid():
		return "belongs to another user"
	case info.Mode()&0o077 != 0:
		return "can be read by other users"
	}
	return ""
}
