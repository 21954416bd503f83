package hostfs

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// posixErrors maps the errors of Windows to POSIX errnos.
var posixErrors = map[syscall.Errno]syscall.Errno{
	windows.ERROR_FILE_NOT_FOUND:          syscall.ENOENT,
	windows.ERROR_PATH_NOT_FOUND:          syscall.ENOENT,
	windows.ERROR_INVALID_NAME:            syscall.ENOENT,
	windows.ERROR_BAD_PATHNAME:            syscall.ENOENT,
	windows.ERROR_BAD_NETPATH:             syscall.ENOENT,
	windows.ERROR_TOO_MANY_OPEN_FILES:     syscall.EMFILE,
	windows.ERROR_ACCESS_DENIED:           syscall.EACCES,
	windows.ERROR_INVALID_HANDLE:          syscall.EBADF,
	windows.ERROR_NOT_ENOUGH_MEMORY:       syscall.ENOMEM,
	windows.ERROR_OUTOFMEMORY:             syscall.ENOMEM,
	windows.ERROR_NOT_SAME_DEVICE:         syscall.EXDEV,
	windows.ERROR_WRITE_PROTECT:           syscall.EROFS,
	windows.ERROR_SHARING_VIOLATION:       syscall.EBUSY,
	windows.ERROR_LOCK_VIOLATION:          syscall.EBUSY,
	windows.ERROR_BUSY:                    syscall.EBUSY,
	windows.ERROR_HANDLE_DISK_FULL:        syscall.ENOSPC,
	windows.ERROR_DISK_FULL:               syscall.ENOSPC,
	windows.ERROR_NOT_SUPPORTED:           syscall.ENOTSUP,
	windows.ERROR_CALL_NOT_IMPLEMENTED:    syscall.ENOTSUP,
	windows.ERROR_INVALID_FUNCTION:        syscall.ENOTSUP,
	windows.ERROR_FILE_EXISTS:             syscall.EEXIST,
	windows.ERROR_ALREADY_EXISTS:          syscall.EEXIST,
	windows.ERROR_INVALID_PARAMETER:       syscall.EINVAL,
	windows.ERROR_NEGATIVE_SEEK:           syscall.EINVAL,
	windows.ERROR_NOT_A_REPARSE_POINT:     syscall.EINVAL,
	windows.ERROR_BROKEN_PIPE:             syscall.EPIPE,
	windows.ERROR_NO_DATA:                 syscall.EPIPE,
	windows.ERROR_DIR_NOT_EMPTY:           syscall.ENOTEMPTY,
	windows.ERROR_FILENAME_EXCED_RANGE:    syscall.ENAMETOOLONG,
	windows.ERROR_DIRECTORY:               syscall.ENOTDIR,
	windows.ERROR_PRIVILEGE_NOT_HELD:      syscall.EPERM,
	windows.ERROR_TOO_MANY_LINKS:          syscall.EMLINK,
	windows.ERROR_CANT_RESOLVE_FILENAME:   syscall.ELOOP,
	windows.ERROR_STOPPED_ON_SYMLINK:      syscall.ELOOP,
	windows.ERROR_DIRECTORY_NOT_SUPPORTED: syscall.EISDIR,
}

// posix converts an error of package os to an error that this package documents.
func posix(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrClosed) {
		return fs.ErrClosed
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if p, ok := posixErrors[errno]; ok {
			return p
		}
		// The error is a POSIX errno, which package syscall numbers from APPLICATION_ERROR on.
		if errno >= syscall.APPLICATION_ERROR {
			return errno
		}
		return syscall.EIO
	}
	// Package os does not export these errors.
	switch text := err.Error(); {
	case strings.HasSuffix(text, "path escapes from parent"):
		return ErrEscapes
	case strings.HasSuffix(text, "not a directory"):
		return syscall.ENOTDIR
	}
	return syscall.EIO
}

// maxName is the length of a name in UTF-16 code units (Microsoft, Maximum Path Length Limitation).
const maxName = 255

// checkName returns the errors of checkPath, and EINVAL for a name that Windows does not keep as it
// is: one with a character that has a meaning of its own, such as a stream's colon; one that ends
// in a dot or a space; and one of a device, such as NUL or COM1.txt (Microsoft, Naming Files,
// Paths, and Namespaces).
func checkName(path string) error {
	if err := checkPath(path); err != nil {
		return err
	}
	depth := 0
	for name := range strings.SplitSeq(path, "/") {
		switch {
		case name == "" || name == ".":
		case name == "..":
			if depth--; depth < 0 {
				return ErrEscapes
			}
		case len(name) > maxName && len(utf16.Encode([]rune(name))) > maxName:
			return syscall.ENAMETOOLONG
		case strings.ContainsAny(name, `\:*?"<>|`), strings.ContainsFunc(name, isControl),
			strings.HasSuffix(name, "."), strings.HasSuffix(name, " "), isDevice(name):
			return syscall.EINVAL
		default:
			depth++
		}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' }

// isDevice reports whether a name is that of a device. Some versions of Windows ignore extensions
// and the spaces before them.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.TrimRight(base, " ")
	return base != "" && !filepath.IsLocal(base)
}
