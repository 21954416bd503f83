package hostfs

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// An osDir is an open directory of the host. Its methods reach only the files beneath it, which
// os.Root ensures.
//
// Three things differ from other systems. Rename and Link between two Dirs work only if both were
// opened beneath the same root, and use the names by which the Dirs were opened. The check for a
// symbolic link at the end of a path and the operation are two steps. The times of a symbolic link
// cannot be set.
type osDir struct {
	root *os.Root
	base *sharedRoot
	// at is the path from base to root.
	at       string
	readOnly bool
	entries  snapshot
	closed   atomic.Bool
}

// sharedRoot is the directory that OpenRoot opened. The last Dir beneath it closes it.
type sharedRoot struct {
	root  *os.Root
	users atomic.Int32
}

func newDir(root *os.Root, b *sharedRoot, at string, readOnly bool) *osDir {
	b.users.Add(1)
	return &osDir{root: root, base: b, at: at, readOnly: readOnly}
}

// openOSDir implements OpenRoot.
func openOSDir(name string, access Access) (*osDir, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, posix(err)
	}
	own, err := root.OpenRoot(".")
	if err != nil {
		root.Close()
		return nil, posix(err)
	}
	return newDir(own, &sharedRoot{root: root}, ".", access == ReadOnly), nil
}

// Close closes the directory. It returns fs.ErrClosed if it was called before.
func (d *osDir) Close() error {
	if !d.closed.CompareAndSwap(false, true) {
		return fs.ErrClosed
	}
	if d.base.users.Add(-1) == 0 {
		d.base.root.Close()
	}
	return posix(d.root.Close())
}

// Access tells how the directory may be used.
func (d *osDir) Access() Access {
	if d.readOnly {
		return ReadOnly
	}
	return ReadWrite
}

// Open opens a file or a directory, and returns the one or the other.
func (d *osDir) Open(name string, o OpenOptions) (File, Dir, error) {
	if err := d.check(name); err != nil {
		return nil, nil, err
	}
	if o.Flags&^allFlags != 0 || o.Create && o.Directory {
		return nil, nil, syscall.EINVAL
	}
	if o.Create && hasTrailingSlash(name) && !d.readOnly {
		return nil, nil, syscall.EISDIR
	}
	info, err := d.lookup(name, o.Follow)
	changes := o.Write || o.Create || o.Truncate
	switch {
	case errors.Is(err, syscall.ENOENT) && o.Create:
		if d.readOnly {
			return nil, nil, syscall.EROFS
		}
	case err != nil:
		return nil, nil, err
	case o.Create && o.Exclusive:
		return nil, nil, syscall.EEXIST
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, nil, syscall.ELOOP
	case info.IsDir():
		if changes {
			return nil, nil, syscall.EISDIR
		}
		root, err := d.root.OpenRoot(trimSlashes(name))
		if err != nil {
			return nil, nil, posix(err)
		}
		return nil, newDir(root, d.base, path.Join(d.at, name), d.readOnly), nil
	case o.Directory:
		return nil, nil, syscall.ENOTDIR
	case d.readOnly && changes:
		return nil, nil, syscall.EROFS
	}
	if o.Truncate && !o.Write && info != nil {
		// Windows truncates by handles for writing alone.
		w, err := d.root.OpenFile(trimSlashes(name), os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return nil, nil, posix(err)
		}
		w.Close()
	}
	file, err := d.root.OpenFile(trimSlashes(name), openFlags(o), 0o666)
	if err != nil {
		return nil, nil, posix(err)
	}
	f := newFile(file, o.Flags)
	f.readOnly = d.readOnly
	return f, nil, nil
}

// openFlags leaves Append out: a file opened with FILE_APPEND_DATA cannot be written at other
// positions.
func openFlags(o OpenOptions) (flags int) {
	switch {
	case o.Read && o.Write:
		flags = os.O_RDWR
	case o.Write:
		flags = os.O_WRONLY
	default:
		flags = os.O_RDONLY
	}
	if o.Create {
		flags |= os.O_CREATE
		if o.Exclusive {
			flags |= os.O_EXCL
		}
	}
	if o.Truncate && o.Write {
		flags |= os.O_TRUNC
	}
	if o.Flags&(Dsync|Sync) != 0 {
		flags |= os.O_SYNC
	}
	return flags
}

// lookup returns the properties of the file at a path. A trailing slash requires a directory.
func (d *osDir) lookup(name string, follow bool) (os.FileInfo, error) {
	stat := d.root.Lstat
	if follow || hasTrailingSlash(name) {
		stat = d.root.Stat
	}
	info, err := stat(trimSlashes(name))
	if err != nil {
		return nil, posix(err)
	}
	if hasTrailingSlash(name) && !info.IsDir() {
		return nil, syscall.ENOTDIR
	}
	return info, nil
}

func trimSlashes(name string) string {
	return strings.TrimRight(name, "/")
}

// checkChange returns the error that all changes of a name have in common.
func (d *osDir) checkChange(name string) error {
	if d.readOnly {
		return syscall.EROFS
	}
	return d.check(name)
}

// check returns the errors of checkName, and ENOTDIR if a file that is no directory stands in the
// middle of the path. os.Root drops such a file before ".." and reports ENOENT for others.
func (d *osDir) check(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	rest := trimSlashes(name)
	for i := range len(rest) {
		if rest[i] != '/' || i == 0 || rest[i-1] == '/' {
			continue
		}
		info, err := d.root.Stat(rest[:i])
		switch {
		case err != nil && posix(err) == syscall.ENOENT:
			return nil // the operation finds that out
		case err != nil:
			return posix(err)
		case !info.IsDir():
			return syscall.ENOTDIR
		}
	}
	return nil
}

// trailingSlashError returns the error of making a file other than a directory at a path with a
// trailing slash.
func (d *osDir) trailingSlashError(name string) error {
	if _, err := d.lookup(name, false); err != nil {
		return err
	}
	return syscall.EEXIST
}

// Mkdir makes a directory.
func (d *osDir) Mkdir(name string) error {
	if err := d.checkChange(name); err != nil {
		return err
	}
	return posix(d.root.Mkdir(trimSlashes(name), 0o777))
}

// Rmdir removes an empty directory. It returns ENOTDIR for a file that is not a directory.
func (d *osDir) Rmdir(name string) error {
	if err := d.checkChange(name); err != nil {
		return err
	}
	info, err := d.lookup(trimSlashes(name), false)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return syscall.ENOTDIR
	}
	return posix(d.root.Remove(trimSlashes(name)))
}

// Unlink removes the name of a file. It returns EISDIR for a directory.
func (d *osDir) Unlink(name string) error {
	if err := d.checkChange(name); err != nil {
		return err
	}
	info, err := d.lookup(name, false)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return syscall.EISDIR
	}
	return posix(d.root.Remove(name))
}

// Symlink makes a symbolic link. The target must be relative. It is judged each time that the link
// is followed.
func (d *osDir) Symlink(target, name string) error {
	if strings.HasPrefix(target, "/") {
		return ErrEscapes
	}
	if target == "" {
		return syscall.ENOENT
	}
	if strings.ContainsAny(target, "\x00:\\") {
		return syscall.EINVAL
	}
	if err := d.checkChange(name); err != nil {
		return err
	}
	if hasTrailingSlash(name) {
		return d.trailingSlashError(name)
	}
	return posix(d.root.Symlink(target, name))
}

// rename returns EXDEV if the other Dir was opened beneath another root.
func rename(from *osDir, name string, to *osDir, newName string) error {
	if err := to.checkChange(newName); err != nil {
		return err
	}
	if err := from.checkChange(name); err != nil {
		return err
	}
	info, err := from.lookup(name, false)
	if err != nil {
		return err
	}
	if hasTrailingSlash(newName) && !info.IsDir() {
		return syscall.ENOTDIR
	}
	root, old, changed, err := commonRoot(from, name, to, newName)
	if err != nil {
		return err
	}
	target, err := root.Lstat(changed)
	switch {
	case err != nil || os.SameFile(info, target):
	case target.IsDir() && !info.IsDir():
		return syscall.EISDIR
	case !target.IsDir() && info.IsDir():
		return syscall.ENOTDIR
	case target.IsDir():
		return replaceDir(root, old, changed)
	}
	return posix(root.Rename(old, changed))
}

// replaceDir renames a directory over an empty one, which Windows refuses. So the empty one is
// removed first, and made again if the rename fails.
func replaceDir(root *os.Root, old, changed string) error {
	if old == "." || strings.HasPrefix(changed, old+"/") {
		return syscall.EINVAL
	}
	if err := root.Remove(changed); err != nil {
		return posix(err)
	}
	err := root.Rename(old, changed)
	if err != nil {
		root.Mkdir(changed, 0o777)
	}
	return posix(err)
}

// link returns EXDEV if the other Dir was opened beneath another root.
func link(from *osDir, name string, follow bool, to *osDir, newName string) error {
	if from.readOnly {
		// The file could be written through a name in a Dir that is not read-only.
		return syscall.EROFS
	}
	if err := from.check(name); err != nil {
		return err
	}
	if err := to.checkChange(newName); err != nil {
		return err
	}
	info, err := from.lookup(name, false)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return syscall.EPERM
	case follow && info.Mode()&fs.ModeSymlink != 0:
		return syscall.EINVAL
	case hasTrailingSlash(newName):
		return to.trailingSlashError(newName)
	}
	root, old, added, err := commonRoot(from, name, to, newName)
	if err != nil {
		return err
	}
	return posix(root.Link(old, added))
}

// commonRoot returns a directory from which two paths in different Dirs can be reached, and the
// paths there.
func commonRoot(from *osDir, a string, to *osDir, b string) (*os.Root, string, string, error) {
	switch {
	case from == to:
		return from.root, trimSlashes(a), trimSlashes(b), nil
	case from.base != to.base:
		return nil, "", "", syscall.EXDEV
	case from.closed.Load() || to.closed.Load():
		return nil, "", "", fs.ErrClosed
	}
	return from.base.root, path.Join(from.at, a), path.Join(to.at, b), nil
}

// Readlink reads the target of a symbolic link into buf. It returns the number of bytes, at most
// len(buf). It returns EINVAL for a file that is not a symbolic link.
func (d *osDir) Readlink(name string, buf []byte) (int, error) {
	if err := d.check(name); err != nil {
		return 0, err
	}
	info, err := d.lookup(name, false)
	if err != nil {
		return 0, err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return 0, syscall.EINVAL
	}
	target, err := d.root.Readlink(name)
	if err != nil {
		return 0, posix(err)
	}
	return copy(buf, strings.ReplaceAll(target, `\`, "/")), nil
}

// Stat returns the properties of the file at a path; "." is the directory itself.
func (d *osDir) Stat(name string, follow bool) (Stat, error) {
	if err := d.check(name); err != nil {
		return Stat{}, err
	}
	info, err := d.lookup(name, follow)
	if err != nil {
		return Stat{}, err
	}
	st := statOf(info)
	if st.Type != RegularFile && st.Type != Directory {
		return st, nil
	}
	// Some numbers are known only of an open file. If it cannot be opened, they stay 0.
	if f, err := d.root.Open(trimSlashes(name)); err == nil {
		defer f.Close()
		addFileID(f, &st)
	}
	return st, nil
}

// SetTimes sets the times of the file at a path; "." is the directory itself. It returns ENOTSUP
// for a symbolic link.
func (d *osDir) SetTimes(name string, follow bool, t Times) error {
	if err := t.valid(); err != nil {
		return err
	}
	if err := d.checkChange(name); err != nil {
		return err
	}
	info, err := d.lookup(name, follow)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return syscall.ENOTSUP
	}
	now := time.Now()
	return posix(d.root.Chtimes(trimSlashes(name),
		newTime(t.Atime, t.Set&AtimeGiven != 0, t.Set&AtimeNow != 0, now),
		newTime(t.Mtime, t.Set&MtimeGiven != 0, t.Set&MtimeNow != 0, now)))
}

// newTime returns the zero Time, which Chtimes ignores, if the time does not change.
func newTime(ns uint64, given, toNow bool, now time.Time) time.Time {
	const second = uint64(time.Second)
	switch {
	case given:
		return time.Unix(int64(ns/second), int64(ns%second))
	case toNow:
		return now
	}
	return time.Time{}
}

// Sync does nothing: Windows has no call to write the entries of a directory to the disk.
func (d *osDir) Sync() error {
	_, err := d.lookup(".", false)
	return err
}

// ReadDir calls yield for the entries of the directory, with "." and "..", until yield returns
// false. Cookie 0 is the beginning, and Entry.Next continues after an entry. An entry for which
// yield returned false is delivered again. A cookie stays valid when the directory changes. yield
// must not use the Dir.
func (d *osDir) ReadDir(cookie uint64, yield func(Entry) bool) error {
	return d.entries.listNames(cookie,
		func() ([]string, error) {
			f, err := d.root.Open(".")
			if err != nil {
				return nil, posix(err)
			}
			defer f.Close()
			names, err := f.Readdirnames(-1)
			return names, posix(err)
		},
		func(e *Entry) error {
			// os.Root refuses to leave the root.
			if string(e.Name) == ".." {
				e.Type = Directory
				return nil
			}
			st, err := d.Stat(string(e.Name), false)
			e.Type, e.Ino = st.Type, st.Ino
			return err
		},
		yield)
}
