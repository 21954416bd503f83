package hostfs

import (
	"strings"
	"syscall"
)

// maxPath is the length of a path in bytes, at most: PATH_MAX of Linux without the NUL.
const maxPath = 4095

// checkPath returns an error for a string that is not a relative path.
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

// hasTrailingSlash reports whether a path requires a directory by a slash at its end (POSIX,
// Pathname Resolution).
func hasTrailingSlash(path string) bool {
	return strings.HasSuffix(path, "/")
}
