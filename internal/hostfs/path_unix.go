//go:build unix

package hostfs

import (
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links one path may go through, as in Linux.
const maxLinks = 40

// splitPath divides a relative path into the directory to look in, "" for the one that the path
// starts from, and the name to look for. The name is never ".." and holds no slash; it is "." if
// the path ends in a directory that has no name of its own. Trailing slashes are cut off.
func splitPath(path string) (dir, name string) {
	path = strings.TrimRight(path, "/")
	i := strings.LastIndexByte(path, '/') + 1
	if path[i:] == ".." {
		return path, "."
	}
	return path[:i], path[i:]
}

// spliceLink replaces the last name of a path by the target of the symbolic link that it is.
func spliceLink(path, target string) (string, error) {
	if target == "" {
		return "", unix.ENOENT
	}
	if target[0] == '/' {
		return "", ErrEscapes
	}
	dir, _ := splitPath(path)
	if slashed(path) {
		target += "/"
	}
	if len(dir)+len(target) > maxPath {
		return "", unix.ENAMETOOLONG
	}
	return dir + target, nil
}
