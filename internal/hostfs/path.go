package hostfs

import (
	"strings"
	"syscall"
)

// maxPath is how long a path may be, in bytes: Linux's PATH_MAX less its NUL.
const maxPath = 4095

// checkPath refuses what is no relative path at all.
func checkPath(path string) error {
	switch {
	case path == "":
		return syscall.ENOENT
	case strings.IndexByte(path, 0) >= 0:
		return syscall.EINVAL
	case len(path) > maxPath:
		return syscall.ENAMETOOLONG
	case path[0] == '/':
		return ErrEscapes
	}
	return nil
}

// slashed reports whether a path asks for a directory by a slash at its end.
func slashed(path string) bool {
	return strings.HasSuffix(path, "/")
}
