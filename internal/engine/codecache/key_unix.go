//go:build unix

package codecache

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/wasport/wasport/internal/hostpath"
)

// openKey opens the key for reading, unless it is a symbolic link.
func openKey(path string) (*os.File, error) { return hostpath.Open(path, os.O_RDONLY, 0) }

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

// publish gives a complete file its name, unless there is a file of that name: link(2) then fails
// with EEXIST.
func publish(file, name string) error {
	err := os.Link(file, name)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(file, name) // The file system has no hard links.
}
