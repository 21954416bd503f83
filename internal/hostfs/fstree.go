package hostfs

import (
	"errors"
	"hash/maphash"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
)

// fsTree is an fs.FS of the embedder's. Its methods are called with paths that have no symbolic
// link before the last name. They may panic and block, and what they return is checked.
type fsTree struct {
	fsys fs.FS
	// seed makes the inode numbers, and dev stands for the device.
	seed maphash.Seed
	dev  uint64
}

const (
	// maxFSName is the length of the longest name in bytes, NAME_MAX of Linux.
	maxFSName = 255
	// maxFSSteps bounds the calls of the fs.FS for one path.
	maxFSSteps = 4096
)

// ino returns a number that is the file's as long as its path is.
func (t *fsTree) ino(name string) uint64 { return maphash.String(t.seed, name) | 1 }

// lstat returns the properties of a file, without following a symbolic link.
func (t *fsTree) lstat(name string) (fs.FileInfo, error) {
	info, err := fs.Lstat(t.fsys, name)
	if err == nil && info == nil {
		err = syscall.EIO
	}
	return info, fsError(err)
}

// resolve finds the file that a path leads to from base, which is a path of the fs.FS. With follow,
// or with a slash at the end of the path, that is not a symbolic link.
func (t *fsTree) resolve(base, p string, follow bool) (name string, info fs.FileInfo, err error) {
	if err := checkPath(p); err != nil {
		return "", nil, err
	}
	w := fsWalk{tree: t, base: base, todo: strings.Split(p, "/")}
	for len(w.todo) > 0 {
		if err := w.step(follow); err != nil {
			return "", nil, err
		}
	}
	if name = w.at(); w.info == nil {
		w.info, err = t.lstat(name)
	}
	return name, w.info, err
}

// fsWalk goes down a path one name at a time.
type fsWalk struct {
	tree *fsTree
	base string
	// trail holds the names from base to the current file. info has its properties, or is nil if it
	// is a directory.
	trail []string
	info  fs.FileInfo
	todo  []string
	links int
	steps int
}

func (w *fsWalk) at() string { return path.Join(w.base, path.Join(w.trail...)) }

// step takes the next name of the path.
func (w *fsWalk) step(follow bool) error {
	name := w.todo[0]
	w.todo = w.todo[1:]
	up := len(w.trail) - 1
	switch {
	case name == "" || name == ".":
		return nil
	case name == ".." && up < 0:
		return ErrEscapes
	case name == "..":
		w.trail, w.info = w.trail[:up], nil
		return nil
	case len(name) > maxFSName:
		return syscall.ENAMETOOLONG
	case !utf8.ValidString(name):
		return syscall.ENOENT // no file of an fs.FS has such a name (fs.ValidPath)
	}
	if w.steps++; w.steps > maxFSSteps {
		return syscall.ENAMETOOLONG
	}
	next := path.Join(w.at(), name)
	info, err := w.tree.lstat(next)
	if err != nil {
		return err
	}
	isLast := len(w.todo) == 0
	switch {
	case info.Mode()&fs.ModeSymlink != 0 && (follow || !isLast):
		return w.followLink(next)
	case !isLast && !info.IsDir():
		return syscall.ENOTDIR
	}
	w.trail, w.info = append(w.trail, name), info
	return nil
}

func (w *fsWalk) followLink(name string) error {
	if w.links++; w.links > maxLinks {
		return syscall.ELOOP
	}
	target, err := fs.ReadLink(w.tree.fsys, name)
	switch {
	case err != nil:
		return fsError(err)
	case target == "":
		return syscall.ENOENT
	case len(target) > maxPath:
		return syscall.ENAMETOOLONG
	case target[0] == '/':
		return ErrEscapes
	}
	w.todo = append(strings.Split(target, "/"), w.todo...)
	return nil
}

// stat converts the properties of a file.
func (t *fsTree) stat(name string, info fs.FileInfo) Stat {
	at := nanosOf(info.ModTime())
	size := uint64(max(info.Size(), 0))
	return Stat{Dev: t.dev, Ino: t.ino(name), Type: fsType(info.Mode()), Nlink: 1, Size: size,
		Disk: size, Atime: at, Mtime: at, Ctime: at}
}

// nanosOf returns 0 for a time that WASI's timestamp cannot express, such as the zero time.
func nanosOf(at time.Time) uint64 {
	const last = (1<<63 - 1) / int64(time.Second)
	if s := at.Unix(); s < 0 || s >= last {
		return 0
	}
	return uint64(at.UnixNano())
}

// fsType takes a file of no known type for a regular file: it is read like one.
func fsType(m fs.FileMode) FileType {
	switch {
	case m&fs.ModeDir != 0:
		return Directory
	case m&fs.ModeSymlink != 0:
		return Symlink
	case m&fs.ModeNamedPipe != 0:
		return Pipe
	case m&fs.ModeSocket != 0:
		return SocketStream
	case m&fs.ModeCharDevice != 0:
		return CharDevice
	case m&fs.ModeDevice != 0:
		return BlockDevice
	}
	return RegularFile
}

// fsError returns the errno of an error of an fs.FS. It is never one that makes a caller try again,
// since the file would count as ready at once.
func fsError(err error) error {
	if err == nil {
		return nil
	}
	for _, e := range []struct {
		is error
		as syscall.Errno
	}{{fs.ErrNotExist, syscall.ENOENT}, {fs.ErrPermission, syscall.EACCES},
		{fs.ErrExist, syscall.EEXIST}, {fs.ErrInvalid, syscall.EINVAL}} {
		if errors.Is(err, e.is) {
			return e.as
		}
	}
	var errno syscall.Errno
	if errors.As(posix(err), &errno) {
		switch errno {
		case syscall.ELOOP, syscall.ENAMETOOLONG, syscall.ENOTDIR, syscall.EISDIR, syscall.EMFILE,
			syscall.ENFILE, syscall.ENOMEM, syscall.EOVERFLOW, syscall.ENXIO, syscall.ESPIPE:
			return errno
		}
	}
	return syscall.EIO
}
