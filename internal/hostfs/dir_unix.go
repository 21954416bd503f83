//go:build unix

package hostfs

import (
	"strings"

	"golang.org/x/sys/unix"
)

// A Dir is an open directory. Its methods reach what is beneath it and nothing else, whatever the
// path, the symbolic links on the way, and others that rename things meanwhile. Only the directory
// itself may have been moved elsewhere.
type Dir struct {
	handle
	walk     bool // go down paths name by name
	readOnly bool
	entries  lister
}

// A lister reads the entries of a directory from a cookie on.
type lister interface {
	list(dirfd int, cookie uint64, yield func(Entry) bool) error
}

// OpenRoot opens a directory of the host, by a path that may be absolute and go through any
// symbolic links. Directories opened beneath it are read-only if it is.
func OpenRoot(path string, access Access) (*Dir, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	})
	if err != nil {
		return nil, err
	}
	return newDir(fd, mustWalk(fd), access == ReadOnly), nil
}

func newDir(fd int, walk, readOnly bool) *Dir {
	return &Dir{handle: handle{fd: fd}, walk: walk, readOnly: readOnly, entries: newLister()}
}

// Open opens a file or a directory: the one of the two results that is not nil. A created file has
// the mode 0666 less the process's umask. Nothing that is opened blocks: a FIFO opened for writing
// while nobody reads it is ENXIO.
func (d *Dir) Open(path string, o OpenOptions) (*File, *Dir, error) {
	if o.Flags&^allFlags != 0 || o.Create && o.Directory {
		return nil, nil, unix.EINVAL
	}
	if err := d.acquire(); err != nil {
		return nil, nil, err
	}
	defer d.release()
	if d.readOnly && (o.Write || o.Create || o.Truncate) {
		return nil, nil, d.refuse(path, o)
	}
	fd, err := d.open(path, o)
	if err != nil {
		return nil, nil, err
	}
	var st unix.Stat_t
	if err := retryErr(func() error { return unix.Fstat(fd, &st) }); err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	if typeOf(&st) == Directory {
		return nil, newDir(fd, d.walk, d.readOnly), nil
	}
	f := newFile(fd, typeOf(&st), o.Flags)
	f.readOnly = d.readOnly
	f.kernelSync = o.Flags & (Dsync | Sync)
	return f, nil, nil
}

func (d *Dir) open(path string, o OpenOptions) (int, error) {
	flags := openFlags(o)
	var mode uint32
	if o.Create {
		mode = 0o666
	}
	if !d.walk {
		if err := checkPath(path); err != nil {
			return -1, err
		}
		if fd, err := openBeneath(d.fd, path, flags, mode); err != errUnsure {
			return fd, err
		}
	}
	p, err := d.beneath(path, (o.Follow || slashed(path)) && !(o.Create && o.Exclusive))
	if err != nil {
		return -1, err
	}
	defer p.close()
	if slashed(path) {
		if o.Create {
			return -1, unix.EISDIR
		}
		flags |= unix.O_DIRECTORY
	}
	return openAt(p.fd, p.name, flags|unix.O_NOFOLLOW, mode)
}

func openFlags(o OpenOptions) int {
	flags := unix.O_CLOEXEC | unix.O_NOCTTY | unix.O_NONBLOCK | largeFile
	switch {
	case o.Read && o.Write:
		flags |= unix.O_RDWR
	case o.Write:
		flags |= unix.O_WRONLY
	default:
		flags |= unix.O_RDONLY
	}
	for _, f := range [...]struct {
		on   bool
		flag int
	}{
		{o.Create, unix.O_CREAT},
		{o.Create && o.Exclusive, unix.O_EXCL},
		{o.Truncate, unix.O_TRUNC},
		{o.Directory, unix.O_DIRECTORY},
		{!o.Follow, unix.O_NOFOLLOW},
		{o.Flags&Append != 0, unix.O_APPEND},
		{o.Flags&Dsync != 0, dsyncFlag},
		{o.Flags&Sync != 0, unix.O_SYNC},
		{o.Flags&Rsync != 0, rsyncFlag},
	} {
		if f.on {
			flags |= f.flag
		}
	}
	return flags
}

// refuse finds the error of an attempt to change something beneath a read-only directory.
func (d *Dir) refuse(path string, o OpenOptions) error {
	fd, err := d.open(path, OpenOptions{Directory: o.Directory, Follow: o.Follow})
	if err == unix.ENOENT && o.Create {
		return unix.EROFS
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if o.Create && o.Exclusive {
		return unix.EEXIST
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err == nil && typeOf(&st) == Directory {
		return unix.EISDIR
	}
	return unix.EROFS
}

// change calls op with the place that a path leads to, for an operation on the name and not on what
// it stands for.
func (d *Dir) change(path string, op func(p place) error) error {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	if d.readOnly {
		return unix.EROFS
	}
	p, err := d.beneath(path, false)
	if err != nil {
		return err
	}
	defer p.close()
	return retryErr(func() error { return op(p) })
}

// Mkdir makes a directory with the mode 0777 less the process's umask.
func (d *Dir) Mkdir(path string) error {
	return d.change(path, func(p place) error { return unix.Mkdirat(p.fd, p.name, 0o777) })
}

// Rmdir removes an empty directory: ENOTDIR for anything else.
func (d *Dir) Rmdir(path string) error {
	return d.change(path, func(p place) error {
		err := unix.Unlinkat(p.fd, p.name, unix.AT_REMOVEDIR)
		if err == unix.EEXIST {
			err = unix.ENOTEMPTY
		}
		return err
	})
}

// Unlink removes a name that is not a directory's: EISDIR for a directory.
func (d *Dir) Unlink(path string) error {
	return d.change(path, func(p place) error {
		if slashed(path) {
			if err := p.wantDir(); err != nil {
				return err
			}
			return unix.EISDIR
		}
		err := unix.Unlinkat(p.fd, p.name, 0)
		if err == unix.EPERM && p.wantDir() == nil {
			err = unix.EISDIR // POSIX, and all but Linux, say EPERM
		}
		return err
	})
}

// Symlink makes a symbolic link. The target must be relative; where it leads is judged whenever the
// link is followed.
func (d *Dir) Symlink(target, path string) error {
	if strings.HasPrefix(target, "/") {
		return ErrEscapes
	}
	if strings.IndexByte(target, 0) >= 0 {
		return unix.EINVAL
	}
	return d.change(path, func(p place) error {
		if slashed(path) {
			return p.cannotBecome()
		}
		return unix.Symlinkat(target, p.fd, p.name)
	})
}

// Rename renames what is at one path to another, perhaps in another Dir. EXDEV if they are on
// different file systems.
func Rename(from *Dir, path string, to *Dir, newPath string) error {
	return from.change(path, func(p place) error {
		return to.change(newPath, func(q place) error {
			if slashed(path) || slashed(newPath) {
				if err := p.wantDir(); err != nil {
					return err
				}
			}
			err := unix.Renameat(p.fd, p.name, q.fd, q.name)
			if err == unix.EEXIST {
				err = unix.ENOTEMPTY
			}
			return err
		})
	})
}

// Link makes a further name for a file, perhaps in another Dir. With follow, a symbolic link at the
// end of path is followed.
func Link(from *Dir, path string, follow bool, to *Dir, newPath string) error {
	if err := from.acquire(); err != nil {
		return err
	}
	defer from.release()
	if from.readOnly {
		return unix.EROFS // or else it could be written to by its other name
	}
	p, err := from.beneath(path, follow || slashed(path))
	if err != nil {
		return err
	}
	defer p.close()
	return to.change(newPath, func(q place) error {
		if slashed(path) {
			if err := p.wantDir(); err != nil {
				return err
			}
			return unix.EPERM
		}
		if slashed(newPath) {
			return q.cannotBecome()
		}
		return unix.Linkat(p.fd, p.name, q.fd, q.name, 0)
	})
}

// Readlink reads the target of a symbolic link into buf, as much of it as fits, and returns how
// much. EINVAL if it is no link.
func (d *Dir) Readlink(path string, buf []byte) (int, error) {
	if err := d.acquire(); err != nil {
		return 0, err
	}
	defer d.release()
	p, err := d.beneath(path, slashed(path))
	if err != nil {
		return 0, err
	}
	defer p.close()
	if slashed(path) {
		if err := p.wantDir(); err != nil {
			return 0, err
		}
		return 0, unix.EINVAL
	}
	if len(buf) == 0 {
		_, err := readLink(p.fd, p.name) // the system call refuses an empty buffer
		return 0, err
	}
	return retry(func() (int, error) { return unix.Readlinkat(p.fd, p.name, buf) })
}

// Stat tells what is known of the file at a path; "." is the directory itself.
func (d *Dir) Stat(path string, follow bool) (Stat, error) {
	if err := d.acquire(); err != nil {
		return Stat{}, err
	}
	defer d.release()
	p, err := d.beneath(path, follow || slashed(path))
	if err != nil {
		return Stat{}, err
	}
	defer p.close()
	st, err := p.stat()
	if err == nil && slashed(path) && st.Type != Directory {
		err = unix.ENOTDIR
	}
	return st, err
}

// SetTimes changes the times of the file at a path; "." is the directory itself.
func (d *Dir) SetTimes(path string, follow bool, t Times) error {
	if err := t.valid(); err != nil {
		return err
	}
	ts, err := timespecs(t)
	if err != nil {
		return err
	}
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	if d.readOnly {
		return unix.EROFS
	}
	p, err := d.beneath(path, follow || slashed(path))
	if err != nil {
		return err
	}
	defer p.close()
	if slashed(path) {
		if err := p.wantDir(); err != nil {
			return err
		}
	}
	return retryErr(func() error {
		return unix.UtimesNanoAt(p.fd, p.name, ts[:], unix.AT_SYMLINK_NOFOLLOW)
	})
}

// Sync waits until the entries of the directory are on the disk.
func (d *Dir) Sync() error {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	return retryErr(func() error { return unix.Fsync(d.fd) })
}

// ReadDir calls yield for the entries of the directory, "." and ".." among them, until it returns
// false. Cookie 0 is the beginning, and an Entry's Next what follows it; an entry for which yield
// returned false comes again. A cookie stays valid while the directory changes. yield must not use
// the Dir.
func (d *Dir) ReadDir(cookie uint64, yield func(Entry) bool) error {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	return d.entries.list(d.fd, cookie, yield)
}

// stat never follows a symbolic link.
func (p place) stat() (Stat, error) {
	var st unix.Stat_t
	err := retryErr(func() error {
		return unix.Fstatat(p.fd, p.name, &st,
			unix.AT_SYMLINK_NOFOLLOW)
	})
	if err != nil {
		return Stat{}, err
	}
	return statOf(&st), nil
}

// wantDir reports ENOTDIR unless there is a directory.
func (p place) wantDir() error {
	st, err := p.stat()
	if err == nil && st.Type != Directory {
		err = unix.ENOTDIR
	}
	return err
}

// cannotBecome is the error of making something that is not a directory under a name with a
// trailing slash.
func (p place) cannotBecome() error {
	if err := p.wantDir(); err != nil {
		return err
	}
	return unix.EEXIST
}
