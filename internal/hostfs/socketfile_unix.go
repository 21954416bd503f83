//go:build unix

package hostfs

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// withParent implements WithParent. It goes down name by name, so that no directory on the way can
// be exchanged for a symbolic link.
func (d *osDir) withParent(path string, use func(dir uintptr, name string) error) error {
	if err := checkPath(path); err != nil {
		return err
	}
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	names := strings.Split(path, "/")
	if slices.ContainsFunc(names, func(s string) bool { return s == "" || s == "." || s == ".." }) {
		return unix.EINVAL
	}
	dir := d.fd
	for _, name := range names[:len(names)-1] {
		fd, err := openAt(dir, name,
			searchFlag|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err == unix.ENOTDIR {
			if _, notLink := readLink(dir, name); notLink == nil {
				err = unix.ELOOP
			}
		}
		if dir != d.fd {
			unix.Close(dir)
		}
		if err != nil {
			return err
		}
		dir = fd
	}
	if dir != d.fd {
		defer unix.Close(dir)
	}
	return use(uintptr(dir), names[len(names)-1])
}
