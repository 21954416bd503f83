package hostfs

import "syscall"

// WithParent finds the directory of a path beneath d, and calls use with its descriptor and the
// last name of the path, for a file that no method of a Dir opens: that of a Unix-domain socket. It
// follows no symbolic link; one on the way is ELOOP, and use must not follow one with the last
// name. The path has no "." and "..". create tells that use makes the file, which is EROFS in a
// read-only directory. A directory that is not the host's has no such files: ECONNREFUSED.
func WithParent(d Dir, path string, create bool, use func(dir uintptr, name string) error) error {
	o, ok := d.(*osDir)
	switch {
	case create && d.Access() == ReadOnly:
		return syscall.EROFS
	case !ok:
		return syscall.ECONNREFUSED
	}
	return o.withParent(path, use)
}
