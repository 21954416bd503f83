package hostfs

import (
	"strings"
	"syscall"
)

// maxPath is the length of a path in bytes, at most: PATH_MAX of Linux without the NUL.
const maxPath = 4095

// maxLinks is the number of symbolic links on one path, as in Linux (path_resolution(7)).
const maxLinks = 40

// checkTarget returns an error for a target that no symbolic link may be given.
func checkTarget(target string) error {
	if strings.HasPrefix(target, "/") {
		return ErrEscapes
	}
	if strings.IndexByte(target, 0) >= 0 {
		return syscall.EINVAL
	}
	return nil
}

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
