//go:build unix

package hostfs

import (
	"strings"

	"golang.org/x/sys/unix"
)

// A place is the result of resolving a path: a name in an open directory. System calls on it must
// not follow a symbolic link.
type place struct {
	fd int
	// name has no slash and is never "..".
	name string
	// opened tells that fd was opened for this place. close closes it.
	opened bool
}

func (p place) close() {
	if p.opened {
		unix.Close(p.fd)
	}
}

// resolve finds the place of a path. The last name need not exist. With follow, it is not a
// symbolic link. If a link appears there at this moment, the next system call refuses to follow it.
func (d *osDir) resolve(path string, follow bool) (place, error) {
	if err := checkPath(path); err != nil {
		return place{}, err
	}
	for links := 0; ; links++ {
		p, err := d.resolveParent(path)
		if err != nil || !follow {
			return p, err
		}
		target, err := readLink(p.fd, p.name)
		if err != nil {
			// readLink failed, so the name is not a link. The operation itself reports other
			// errors.
			return p, nil
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

// resolveParent finds the directory of the last name of a path.
func (d *osDir) resolveParent(path string) (place, error) {
	dir, name := splitPath(path)
	if dir == "" {
		return place{fd: d.fd, name: name}, nil
	}
	const flags = searchFlag | unix.O_DIRECTORY | unix.O_CLOEXEC
	if !d.walk {
		if fd, err := openBeneath(d.fd, dir, flags, 0); err != errMustWalk {
			return place{fd, name, true}, err
		}
	}
	fd, opened, err := walk(d.fd, dir)
	return place{fd, name, opened}, err
}

// A walker goes down a path one name at a time. It never lets the kernel follow a symbolic link or
// "..". So it stays beneath its root even if other processes rename directories meanwhile.
type walker struct {
	root int
	// dir is the current directory: root, or a descriptor of its own.
	dir int
	// trail holds the names of the directories from root to dir.
	trail []string
	links int
	steps int
}

// maxSteps bounds the system calls for one path: ".." costs a new walk from the root.
const maxSteps = 4096

// walk opens the directory that a relative path leads to. If that is root itself, it returns root
// and opened = false.
func walk(root int, path string) (fd int, opened bool, err error) {
	w := walker{root: root, dir: root}
	if err := w.walk(strings.Split(path, "/")); err != nil {
		w.toRoot()
		return -1, false, err
	}
	return w.dir, w.dir != root, nil
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
			w.toRoot()
			continue
		}
		target, err := w.descend(name)
		if err != nil {
			return err
		}
		if target != "" {
			todo = append(strings.Split(target, "/"), todo...)
		}
	}
	return nil
}

// descend enters a directory, or returns the target of the symbolic link that has this name.
func (w *walker) descend(name string) (target string, err error) {
	if w.steps++; w.steps > maxSteps {
		return "", unix.ENAMETOOLONG
	}
	fd, err := openAt(w.dir, name, searchFlag|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == nil {
		if w.dir != w.root {
			unix.Close(w.dir)
		}
		w.dir, w.trail = fd, append(w.trail, name)
		return "", nil
	}
	if err != unix.ENOTDIR && err != unix.ELOOP {
		return "", err
	}
	target, lerr := readLink(w.dir, name)
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

// toRoot returns to the root.
func (w *walker) toRoot() {
	if w.dir != w.root {
		unix.Close(w.dir)
	}
	w.dir, w.trail = w.root, nil
}

// readLink returns the target of a symbolic link, or EINVAL if the name is not a link.
func readLink(fd int, name string) (string, error) {
	var buf [maxPath + 1]byte
	n, err := retry(func() (int, error) { return readlinkat(fd, name, buf[:]) })
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

func openAt(fd int, name string, flags int, mode uint32) (int, error) {
	n, err := retry(func() (int, error) { return unix.Openat(fd, name, flags, mode) })
	if err == unix.EMLINK && flags&unix.O_NOFOLLOW != 0 {
		// FreeBSD has EMLINK for a link that is not followed (open(2)).
		err = unix.ELOOP
	}
	return n, err
}
