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

// A Dir is an open directory. Its methods reach what is beneath it and nothing else, as os.Root
// sees to.
//
// What differs from other systems: Rename and Link between two Dirs work only if both were opened
// beneath the same root, and go by the names that the Dirs were opened with; whether the last name
// is a symbolic link is looked up before the operation and not in one step with it; the times of a
// symbolic link itself cannot be set.
type Dir struct {
	root     *os.Root
	base     *base
	at       string // the path from base to root
	readOnly bool
	entries  snapshot
	closed   atomic.Bool
}

// base is the directory that OpenRoot opened; it lives as long as any Dir beneath it.
type base struct {
	root  *os.Root
	users atomic.Int32
}

func newDir(root *os.Root, b *base, at string, readOnly bool) *Dir {
	b.users.Add(1)
	return &Dir{root: root, base: b, at: at, readOnly: readOnly}
}

// OpenRoot opens a directory of the host. Directories opened beneath it are read-only if it is.
func OpenRoot(name string, access Access) (*Dir, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, posix(err)
	}
	own, err := root.OpenRoot(".")
	if err != nil {
		root.Close()
		return nil, posix(err)
	}
	return newDir(own, &base{root: root}, ".", access == ReadOnly), nil
}

// Close closes the directory; fs.ErrClosed if it is closed already.
func (d *Dir) Close() error {
	if !d.closed.CompareAndSwap(false, true) {
		return fs.ErrClosed
	}
	if d.base.users.Add(-1) == 0 {
		d.base.root.Close()
	}
	return posix(d.root.Close())
}

// Open opens a file or a directory: the one of the two results that is not nil.
func (d *Dir) Open(name string, o OpenOptions) (*File, *Dir, error) {
	if err := checkName(name); err != nil {
		return nil, nil, err
	}
	if o.Flags&^allFlags != 0 || o.Create && o.Directory {
		return nil, nil, syscall.EINVAL
	}
	if o.Create && slashed(name) {
		return nil, nil, syscall.EISDIR
	}
	info, err := d.look(name, o.Follow)
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
		root, err := d.root.OpenRoot(clean(name))
		if err != nil {
			return nil, nil, posix(err)
		}
		return nil, newDir(root, d.base, path.Join(d.at, name), d.readOnly), nil
	case o.Directory:
		return nil, nil, syscall.ENOTDIR
	case d.readOnly && changes:
		return nil, nil, syscall.EROFS
	}
	file, err := d.root.OpenFile(clean(name), openFlags(o), 0o666)
	if err != nil {
		return nil, nil, posix(err)
	}
	f := newFile(file, o.Flags)
	f.readOnly = d.readOnly
	return f, nil, nil
}

// openFlags leaves out Append, which would take the right to write anywhere else with it.
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
	if o.Truncate {
		flags |= os.O_TRUNC
	}
	if o.Flags&(Dsync|Sync) != 0 {
		flags |= os.O_SYNC
	}
	return flags
}

// look finds out what is at a path. A trailing slash asks for a directory.
func (d *Dir) look(name string, follow bool) (os.FileInfo, error) {
	stat := d.root.Lstat
	if follow || slashed(name) {
		stat = d.root.Stat
	}
	info, err := stat(clean(name))
	if err != nil {
		return nil, posix(err)
	}
	if slashed(name) && !info.IsDir() {
		return nil, syscall.ENOTDIR
	}
	return info, nil
}

func clean(name string) string {
	return strings.TrimRight(name, "/")
}

// change checks what all operations that change a name have in common.
func (d *Dir) change(name string) error {
	if d.readOnly {
		return syscall.EROFS
	}
	return checkName(name)
}

// cannotBecome is the error of making something that is not a directory under a name with a
// trailing slash.
func (d *Dir) cannotBecome(name string) error {
	if _, err := d.look(name, false); err != nil {
		return err
	}
	return syscall.EEXIST
}

// Mkdir makes a directory.
func (d *Dir) Mkdir(name string) error {
	if err := d.change(name); err != nil {
		return err
	}
	return posix(d.root.Mkdir(clean(name), 0o777))
}

// Rmdir removes an empty directory: ENOTDIR for anything else.
func (d *Dir) Rmdir(name string) error {
	if err := d.change(name); err != nil {
		return err
	}
	info, err := d.look(clean(name), false)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return syscall.ENOTDIR
	}
	return posix(d.root.Remove(clean(name)))
}

// Unlink removes a name that is not a directory's: EISDIR for a directory.
func (d *Dir) Unlink(name string) error {
	if err := d.change(name); err != nil {
		return err
	}
	info, err := d.look(name, false)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return syscall.EISDIR
	}
	return posix(d.root.Remove(name))
}

// Symlink makes a symbolic link. The target must be relative; where it leads is judged whenever the
// link is followed.
func (d *Dir) Symlink(target, name string) error {
	if strings.HasPrefix(target, "/") {
		return ErrEscapes
	}
	if target == "" {
		return syscall.ENOENT
	}
	if strings.ContainsAny(target, "\x00:\\") {
		return syscall.EINVAL
	}
	if err := d.change(name); err != nil {
		return err
	}
	if slashed(name) {
		return d.cannotBecome(name)
	}
	return posix(d.root.Symlink(target, name))
}

// Rename renames what is at one path to another, perhaps in another Dir; EXDEV if that was opened
// beneath another root.
func Rename(from *Dir, name string, to *Dir, newName string) error {
	if err := to.change(newName); err != nil {
		return err
	}
	if err := from.change(name); err != nil {
		return err
	}
	info, err := from.look(name, false)
	if err != nil {
		return err
	}
	if slashed(newName) && !info.IsDir() {
		return syscall.ENOTDIR
	}
	root, old, changed, err := common(from, name, to, newName)
	if err != nil {
		return err
	}
	return posix(root.Rename(old, changed))
}

// Link makes a further name for a file, perhaps in another Dir; EXDEV if that was opened beneath
// another root.
func Link(from *Dir, name string, follow bool, to *Dir, newName string) error {
	if from.readOnly {
		return syscall.EROFS // or else it could be written to by its other name
	}
	if err := checkName(name); err != nil {
		return err
	}
	if err := to.change(newName); err != nil {
		return err
	}
	info, err := from.look(name, false)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return syscall.EPERM
	case follow && info.Mode()&fs.ModeSymlink != 0:
		return syscall.EINVAL
	case slashed(newName):
		return to.cannotBecome(newName)
	}
	root, old, added, err := common(from, name, to, newName)
	if err != nil {
		return err
	}
	return posix(root.Link(old, added))
}

// common finds a directory from which two paths in different directories can be reached.
func common(from *Dir, a string, to *Dir, b string) (*os.Root, string, string, error) {
	switch {
	case from == to:
		return from.root, clean(a), clean(b), nil
	case from.base != to.base:
		return nil, "", "", syscall.EXDEV
	case from.closed.Load() || to.closed.Load():
		return nil, "", "", fs.ErrClosed
	}
	return from.base.root, path.Join(from.at, a), path.Join(to.at, b), nil
}

// Readlink reads the target of a symbolic link into buf, as much of it as fits, and returns how
// much.
func (d *Dir) Readlink(name string, buf []byte) (int, error) {
	if err := checkName(name); err != nil {
		return 0, err
	}
	info, err := d.look(name, false)
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

// Stat tells what is known of the file at a path; "." is the directory itself.
func (d *Dir) Stat(name string, follow bool) (Stat, error) {
	if err := checkName(name); err != nil {
		return Stat{}, err
	}
	info, err := d.look(name, follow)
	if err != nil {
		return Stat{}, err
	}
	st := statOf(info)
	if st.Type != RegularFile && st.Type != Directory {
		return st, nil
	}
	// or else it keeps the numbers that only an open file tells
	if f, err := d.root.Open(clean(name)); err == nil {
		defer f.Close()
		identify(f, &st)
	}
	return st, nil
}

// SetTimes changes the times of the file at a path; "." is the directory itself. ENOTSUP for a
// symbolic link itself.
func (d *Dir) SetTimes(name string, follow bool, t Times) error {
	if err := t.valid(); err != nil {
		return err
	}
	if err := d.change(name); err != nil {
		return err
	}
	info, err := d.look(name, follow)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return syscall.ENOTSUP
	}
	now := time.Now()
	return posix(d.root.Chtimes(clean(name),
		newTime(t.Atime, t.Set&AtimeGiven != 0, t.Set&AtimeNow != 0, now),
		newTime(t.Mtime, t.Set&MtimeGiven != 0, t.Set&MtimeNow != 0, now)))
}

// newTime is the zero Time, which Chtimes takes for no change, unless there is one.
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

// Sync does nothing: Windows gives no way to ask for a directory's entries to be written.
func (d *Dir) Sync() error {
	_, err := d.look(".", false)
	return err
}

// ReadDir calls yield for the entries of the directory, "." and ".." among them, until it returns
// false. Cookie 0 is the beginning, and an Entry's Next what follows it; an entry for which yield
// returned false comes again. A cookie stays valid while the directory changes. yield must not use
// the Dir.
func (d *Dir) ReadDir(cookie uint64, yield func(Entry) bool) error {
	return d.entries.each(cookie,
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
			if string(e.Name) == ".." { // beyond the root, os.Root would not look
				e.Type = Directory
				return nil
			}
			info, err := d.root.Lstat(string(e.Name))
			if err == nil {
				e.Type = statOf(info).Type
			}
			return err
		},
		yield)
}
