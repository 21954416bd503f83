//go:build unix

package hostfs

import (
	"strings"

	"golang.org/x/sys/unix"
)

// splitPath divides a relative path into a directory and a name in it. The directory is "" if it is
// the one where the path starts. The name is never ".." and has no slash. It is "." if the path
// ends in a directory without a name of its own. Trailing slashes are removed.
func splitPath(path string) (dir, name string) {
	path = strings.TrimRight(path, "/")
	i := strings.LastIndexByte(path, '/') + 1
	if path[i:] == ".." {
		return path, "."
	}
	return path[:i], path[i:]
}

// spliceLink replaces the last name of a path, a symbolic link, by the link's target.
func spliceLink(path, target string) (string, error) {
	if target == "" {
		return "", unix.ENOENT
	}
	if target[0] == '/' {
		return "", ErrEscapes
	}
	dir, _ := splitPath(path)
	if hasTrailingSlash(path) {
		target += "/"
	}
	if len(dir)+len(target) > maxPath {
		return "", unix.ENAMETOOLONG
	}
	return dir + target, nil
}

// posix returns an error of package os as it is: these systems have the errnos of POSIX.
func posix(err error) error { return err }
