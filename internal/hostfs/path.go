package hostfs

import (
	"strings"
	"syscall"
)

// maxPath is how long a path may be, in bytes: Linux's PATH_MAX less its NUL.
const maxPath = 4095

// maxLinks is how many symbolic links one path may go through, as in Linux.
const maxLinks = 40

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

// splitPath divides a relative path into the directory to look in, "" for the one that the path starts from, and the name to
// look for. The name is never ".." and holds no slash; it is "." if the path ends in a directory that has no name of its
// own. Trailing slashes are cut off.
func splitPath(path string) (dir, name string) {
	path = strings.TrimRight(path, "/")
	i := strings.LastIndexByte(path, '/') + 1
	if path[i:] == ".." {
		return path, "."
	}
	return path[:i], path[i:]
}

// slashed reports whether a path asks for a directory by a slash at its end.
func slashed(path string) bool {
	return strings.HasSuffix(path, "/")
}

// spliceLink replaces the last name of a path by the target of the symbolic link that it is.
func spliceLink(path, target string) (string, error) {
	if target == "" {
		return "", syscall.ENOENT
	}
	if target[0] == '/' {
		return "", ErrEscapes
	}
	dir, _ := splitPath(path)
	if slashed(path) {
		target += "/"
	}
	return dir + target, nil
}
