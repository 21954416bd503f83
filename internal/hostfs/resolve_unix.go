//go:build unix

package hostfs

import (
	"strings"

	"golang.org/x/sys/unix"
)

// A place is where a path leads: a name in an open directory. System calls on it must not follow a
// symbolic link.
type place struct {
	fd     int
	name   string // without a slash, and never ".."
	opened bool   // fd was opened for this place, and close closes it
}

func (p place) close() {
	if p.opened {
		unix.Close(p.fd)
	}
}

// beneath finds the place that a path leads to. The last name need not exist. With follow, it is
// not a symbolic link, unless one appears there in this moment, which the next system call then
// refuses to follow.
func (d *Dir) beneath(path string, follow bool) (place, error) {
	if err := checkPath(path); err != nil {
		return place{}, err
	}
	for links := 0; ; links++ {
		p, err := d.parent(path)
		if err != nil || !follow {
			return p, err
		}
		target, err := readLink(p.fd, p.name)
		if err != nil {
			return p, nil // no link: whatever it is, the operation finds out
		}
		p.close()
		if links == maxLinks {
			return place{}, unix.ELOOP
		}
		if path, err = spliceLink(path, target); err != nil {
			return place{}, err
		}
	}
}

// parent finds the directory of the last name of a path.
func (d *Dir) parent(path string) (place, error) {
	dir, name := splitPath(path)
	if dir == "" {
		return place{fd: d.fd, name: name}, nil
	}
	const flags = searchFlag | unix.O_DIRECTORY | unix.O_CLOEXEC
	if !d.walk {
		if fd, err := openBeneath(d.fd, dir, flags, 0); err != errUnsure {
			return place{fd, name, true}, err
		}
	}
	fd, opened, err := walk(d.fd, dir)
	return place{fd, name, opened}, err
}

// A walker goes down a path one name at a time and never follows a symbolic link or ".." by way of
// the kernel: so it stays beneath its root whatever others rename meanwhile.
type walker struct {
	root  int
	at    int      // where it stands: root, or a descriptor of its own
	trail []string // the names of the directories from root to at
	links int
	steps int
}

// maxSteps bounds the system calls that one path can cause: going up costs a walk from the root.
const maxSteps = 4096

// walk opens the directory that a relative path leads to. If that is root itself, it is not opened
// again.
func walk(root int, path string) (fd int, opened bool, err error) {
	w := walker{root: root, at: root}
	if err := w.walk(strings.Split(path, "/")); err != nil {
		w.back()
		return -1, false, err
	}
	return w.at, w.at != root, nil
}

func (w *walker) walk(todo []string) error {
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			up := len(w.trail) - 1
			if up < 0 {
				return ErrEscapes
			}
			todo = append(w.trail[:up:up], todo...)
			w.back()
			continue
		}
		target, err := w.enter(name)
		if err != nil {
			return err
		}
		if target != "" {
			todo = append(strings.Split(target, "/"), todo...)
		}
	}
	return nil
}

// enter goes down to a directory, or returns the target of the symbolic link that is there instead.
func (w *walker) enter(name string) (target string, err error) {
	if w.steps++; w.steps > maxSteps {
		return "", unix.ENAMETOOLONG
	}
	fd, err := openAt(w.at, name, searchFlag|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == nil {
		if w.at != w.root {
			unix.Close(w.at)
		}
		w.at, w.trail = fd, append(w.trail, name)
		return "", nil
	}
	if err != unix.ENOTDIR && err != unix.ELOOP {
		return "", err
	}
	target, lerr := readLink(w.at, name)
	if lerr != nil {
		return "", unix.ENOTDIR
	}
	if w.links++; w.links > maxLinks {
		return "", unix.ELOOP
	}
	if target == "" {
		return "", unix.ENOENT
	}
	if target[0] == '/' {
		return "", ErrEscapes
	}
	return target, nil
}

// back returns to the root.
func (w *walker) back() {
	if w.at != w.root {
		unix.Close(w.at)
	}
	w.at, w.trail = w.root, nil
}

// readLink returns the target of a symbolic link; EINVAL if it is something else.
func readLink(fd int, name string) (string, error) {
	var buf [maxPath + 1]byte
	n, err := retry(func() (int, error) { return unix.Readlinkat(fd, name, buf[:]) })
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

func openAt(fd int, name string, flags int, mode uint32) (int, error) {
	n, err := retry(func() (int, error) { return unix.Openat(fd, name, flags, mode) })
	if err == unix.EMLINK && flags&unix.O_NOFOLLOW != 0 {
		err = unix.ELOOP // FreeBSD's word for a link that is not followed
	}
	return n, err
}
