//go:build unix

package hostpath

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// descriptor matches the names of this process's open files, which are links of the kernel's
// (proc_pid_fd(5)). Shells make some of >(command).
var descriptor = regexp.MustCompile(`^/(dev|proc/self)/fd/[0-9]+$`)

// Open opens a file as os.OpenFile does, but no symbolic link, which may lead somewhere else by the
// next time. A descriptor that is to be written is used as it is, and not opened again.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	switch {
	case !descriptor.MatchString(path):
	case flag&os.O_WRONLY != 0:
		return inherited(path)
	default:
		return os.OpenFile(path, flag, perm)
	}
	f, err := os.OpenFile(path, flag|syscall.O_NOFOLLOW, perm)
	// FreeBSD says EMLINK, NetBSD EFTYPE. Source: open(2).
	if info, e := os.Lstat(path); err != nil && e == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, errLink
	}
	return f, err
}

// inherited duplicates a descriptor that this process was given. Opened again, a file would have an
// offset of its own, and be cut or written over where the shell said ">>" (proc_pid_fd(5)). EBADF
// for one that this process has opened itself, all of which are closed on exec.
func inherited(path string) (*os.File, error) {
	n, err := strconv.ParseUint(path[strings.LastIndexByte(path, '/')+1:], 10, 31)
	if err != nil {
		return nil, syscall.EBADF
	}
	onExec, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0)
	if err != nil {
		return nil, err
	}
	mode, err := unix.FcntlInt(uintptr(n), unix.F_GETFL, 0)
	if err != nil {
		return nil, err
	}
	if onExec&unix.FD_CLOEXEC != 0 || mode&unix.O_ACCMODE == unix.O_RDONLY {
		return nil, syscall.EBADF
	}
	fd, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
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
