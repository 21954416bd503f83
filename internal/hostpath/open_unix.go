//go:build unix

package hostpath

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

// descriptor matches the names of this process's open files, which are links of the kernel's
// (proc_pid_fd(5)). Shells make some of >(command).
var descriptor = regexp.MustCompile(`^/(dev|proc/self)/fd/[0-9]+$`)

// Open opens a file as os.OpenFile does, but no symbolic link, which may lead somewhere else by the
// next time.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	if descriptor.MatchString(path) {
		return os.OpenFile(path, flag, perm)
	}
	f, err := os.OpenFile(path, flag|syscall.O_NOFOLLOW, perm)
	// FreeBSD says EMLINK, NetBSD EFTYPE. Source: open(2).
	if info, e := os.Lstat(path); err != nil && e == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, errLink
	}
	return f, err
}

// absolute makes a path absolute, and leaves ".." in it, which may follow a symbolic link.
func absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	wd, err := os.Getwd()
	return wd + "/" + path, err
}

// linkCount is how many names a file has.
func linkCount(_ string, info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}
