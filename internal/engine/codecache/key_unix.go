//go:build unix

package codecache

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/hostpath"
)

// openKey opens the key for reading, unless it is a symbolic link.
func openKey(path string) (*os.File, error) { return hostpath.Open(path, os.O_RDONLY, 0) }

// keyExposure returns the reason that another user could have read or chosen the key. It is empty
// if none could but root.
func keyExposure(info fs.FileInfo) string {
	if !info.Mode().IsRegular() {
		return "is no regular file"
	}
	return exposure(info)
}

// exposure is keyExposure without regard to the kind of file.
func exposure(info fs.FileInfo) string {
	switch stat, ok := info.Sys().(*syscall.Stat_t); {
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

// lockDir makes a directory if there is none, and locks it by a file beside it until that is closed
// (flock(2)). It reports false if that fails, if another process has locked it, or if other users
// may use the directory or the file. The directory itself is not kept open: a process that has left
// the host's files behind (chroot(2)) would get back to them by it.
func lockDir(path string) (*os.File, bool) {
	// O_NONBLOCK does not wait for the other end of a FIFO.
	f, err := hostpath.Open(path+".lock", os.O_RDWR|os.O_CREATE|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, false
	}
	info, err := f.Stat()
	if err == nil && keyExposure(info) == "" &&
		unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		err = os.Mkdir(path, 0o700)
		if (err == nil || errors.Is(err, fs.ErrExist)) && isPrivate(path) {
			return f, true
		}
	}
	f.Close()
	return nil, false
}

// isPrivate reports whether a directory is this user's, and no other may use it.
func isPrivate(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && exposure(info) == ""
}
