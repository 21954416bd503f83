//go:build unix

package hostfs

import "golang.org/x/sys/unix"

// An osDir is an open directory of the host. Its methods reach only the files beneath it, with any
// path, any symbolic links on the way, and while other processes rename files. The directory itself
// may be moved elsewhere.
type osDir struct {
	handle
	// walk tells that paths are resolved by walking, name by name.
	walk     bool
	readOnly bool
	entries  lister
}

// A lister reads the entries of a directory after a cookie.
type lister interface {
	list(dirfd int, cookie uint64, yield func(Entry) bool) error
}

// openOSDir implements OpenRoot.
func openOSDir(path string, access Access) (*osDir, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	})
	if err != nil {
		return nil, err
	}
	return newDir(fd, mustWalk(fd), access == ReadOnly), nil
}

func newDir(fd int, walk, readOnly bool) *osDir {
	return &osDir{handle: handle{fd: fd}, walk: walk, readOnly: readOnly, entries: newLister()}
}

// Access tells how the directory may be used.
func (d *osDir) Access() Access {
	if d.readOnly {
		return ReadOnly
	}
	return ReadWrite
}

// Open opens a file or a directory, and returns the one or the other. A created file has mode 0666
// less the process's umask. Open never blocks: a FIFO that is opened for writing and has no reader
// is ENXIO (fifo(7)).
func (d *osDir) Open(path string, o OpenOptions) (File, Dir, error) {
	if o.Flags&^allFlags != 0 || o.Create && o.Directory {
		return nil, nil, unix.EINVAL
	}
	if err := d.acquire(); err != nil {
		return nil, nil, err
	}
	defer d.release()
	if d.readOnly && (o.Write || o.Create || o.Truncate) {
		return nil, nil, d.readOnlyError(path, o)
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

func (d *osDir) open(path string, o OpenOptions) (int, error) {
	flags := openFlags(o)
	var mode uint32
	if o.Create {
		mode = 0o666
	}
	if !d.walk {
		if err := checkPath(path); err != nil {
			return -1, err
		}
		if fd, err := openBeneath(d.fd, path, flags, mode); err != errMustWalk {
			return fd, err
		}
	}
	p, err := d.resolve(path, (o.Follow || hasTrailingSlash(path)) && !(o.Create && o.Exclusive))
	if err != nil {
		return -1, err
	}
	defer p.close()
	if hasTrailingSlash(path) {
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

// readOnlyError returns the error of an attempt to change a file beneath a read-only directory.
func (d *osDir) readOnlyError(path string, o OpenOptions) error {
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

// withPlace calls op, which changes a name, with the place of a path. It returns EROFS in a
// read-only directory.
func (d *osDir) withPlace(path string, op func(p place) error) error {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	if d.readOnly {
		return unix.EROFS
	}
	p, err := d.resolve(path, false)
	if err != nil {
		return err
	}
	defer p.close()
	return retryErr(func() error { return op(p) })
}

// Mkdir makes a directory with mode 0777 less the process's umask.
func (d *osDir) Mkdir(path string) error {
	return d.withPlace(path, func(p place) error { return unix.Mkdirat(p.fd, p.name, 0o777) })
}

// Rmdir removes an empty directory. It returns ENOTDIR for a file that is not a directory.
func (d *osDir) Rmdir(path string) error {
	return d.withPlace(path, func(p place) error {
		err := unix.Unlinkat(p.fd, p.name, unix.AT_REMOVEDIR)
		if err == unix.EEXIST {
			err = unix.ENOTEMPTY
		}
		return err
	})
}

// Unlink removes the name of a file. It returns EISDIR for a directory.
func (d *osDir) Unlink(path string) error {
	return d.withPlace(path, func(p place) error {
		if hasTrailingSlash(path) {
			if err := p.requireDir(); err != nil {
				return err
			}
			return unix.EISDIR
		}
		err := unix.Unlinkat(p.fd, p.name, 0)
		if err == unix.EPERM && p.requireDir() == nil {
			// Linux returns EISDIR. POSIX and the other systems have EPERM (POSIX, unlink).
			err = unix.EISDIR
		}
		return err
	})
}

// Symlink makes a symbolic link. The target must be relative. It is judged each time that the link
// is followed.
func (d *osDir) Symlink(target, path string) error {
	if err := checkTarget(target); err != nil {
		return err
	}
	return d.withPlace(path, func(p place) error {
		if hasTrailingSlash(path) {
			return p.trailingSlashError()
		}
		return unix.Symlinkat(target, p.fd, p.name)
	})
}

func rename(from *osDir, path string, to *osDir, newPath string) error {
	return from.withPlace(path, func(p place) error {
		return to.withPlace(newPath, func(q place) error {
			if hasTrailingSlash(path) || hasTrailingSlash(newPath) {
				if err := p.requireDir(); err != nil {
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

func link(from *osDir, path string, follow bool, to *osDir, newPath string) error {
	if err := from.acquire(); err != nil {
		return err
	}
	defer from.release()
	if from.readOnly {
		// The file could be written through a name in a Dir that is not read-only.
		return unix.EROFS
	}
	p, err := from.resolve(path, follow || hasTrailingSlash(path))
	if err != nil {
		return err
	}
	defer p.close()
	return to.withPlace(newPath, func(q place) error {
		if hasTrailingSlash(path) {
			if err := p.requireDir(); err != nil {
				return err
			}
			return unix.EPERM
		}
		if hasTrailingSlash(newPath) {
			return q.trailingSlashError()
		}
		return unix.Linkat(p.fd, p.name, q.fd, q.name, 0)
	})
}

// Readlink reads the target of a symbolic link into buf. It returns the number of bytes, at most
// len(buf). It returns EINVAL for a file that is not a symbolic link.
func (d *osDir) Readlink(path string, buf []byte) (int, error) {
	if err := d.acquire(); err != nil {
		return 0, err
	}
	defer d.release()
	p, err := d.resolve(path, hasTrailingSlash(path))
	if err != nil {
		return 0, err
	}
	defer p.close()
	if hasTrailingSlash(path) {
		if err := p.requireDir(); err != nil {
			return 0, err
		}
		return 0, unix.EINVAL
	}
	// readlinkat(2) fails with EINVAL for an empty buffer.
	if len(buf) == 0 {
		_, err := readLink(p.fd, p.name)
		return 0, err
	}
	return retry(func() (int, error) { return readlinkat(p.fd, p.name, buf) })
}

// Stat returns the properties of the file at a path; "." is the directory itself.
func (d *osDir) Stat(path string, follow bool) (Stat, error) {
	if err := d.acquire(); err != nil {
		return Stat{}, err
	}
	defer d.release()
	p, err := d.resolve(path, follow || hasTrailingSlash(path))
	if err != nil {
		return Stat{}, err
	}
	defer p.close()
	st, err := p.stat()
	if err == nil && hasTrailingSlash(path) && st.Type != Directory {
		err = unix.ENOTDIR
	}
	return st, err
}

// SetTimes sets the times of the file at a path; "." is the directory itself.
func (d *osDir) SetTimes(path string, follow bool, t Times) error {
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
	p, err := d.resolve(path, follow || hasTrailingSlash(path))
	if err != nil {
		return err
	}
	defer p.close()
	if hasTrailingSlash(path) {
		if err := p.requireDir(); err != nil {
			return err
		}
	}
	return retryErr(func() error {
		return unix.UtimesNanoAt(p.fd, p.name, ts[:], unix.AT_SYMLINK_NOFOLLOW)
	})
}

// Sync returns when the entries of the directory are on the disk (fsync(2)).
func (d *osDir) Sync() error {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	return retryErr(func() error { return unix.Fsync(d.fd) })
}

// ReadDir calls yield for the entries of the directory, with "." and "..", until yield returns
// false. Cookie 0 is the beginning, and Entry.Next continues after an entry. An entry for which
// yield returned false is delivered again. A cookie stays valid when the directory changes. yield
// must not use the Dir.
func (d *osDir) ReadDir(cookie uint64, yield func(Entry) bool) error {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	return d.entries.list(d.fd, cookie, yield)
}

// stat does not follow a symbolic link.
func (p place) stat() (Stat, error) {
	var st unix.Stat_t
	err := retryErr(func() error {
		return unix.Fstatat(p.fd, p.name, &st, unix.AT_SYMLINK_NOFOLLOW)
	})
	if err != nil {
		return Stat{}, err
	}
	return statOf(&st), nil
}

// requireDir returns ENOTDIR unless the place is a directory.
func (p place) requireDir() error {
	st, err := p.stat()
	if err == nil && st.Type != Directory {
		err = unix.ENOTDIR
	}
	return err
}

// trailingSlashError returns the error of making a file other than a directory at a path with a
// trailing slash.
func (p place) trailingSlashError() error {
	if err := p.requireDir(); err != nil {
		return err
	}
	return unix.EEXIST
}
