// Package hostpath keeps the host's own files apart from the directories that a guest may write
// to.
//
// A file that the host reads or writes by its name is the guest's to replace, if the name leads
// through such a directory: by other contents, or by a symbolic link to something else. So Check
// looks at every directory that the lookup of a name goes through, not at the name, and compares
// by device and inode: bind mounts and symbolic links give a directory any number of names.
package hostpath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Dirs are directories that a guest may write to.
type Dirs []dir

// dir is a directory and what is mounted beneath it.
type dir struct {
	name   string // as it was given
	real   string
	info   fs.FileInfo
	mounts []fs.FileInfo
}

// Error is the error of a file that a guest could change.
type Error struct {
	Path string // of the file
	Dir  string // the directory, as it was given to New
	How  string // how the guest would get at it, such as "lies beneath it"
}

func (e *Error) Error() string { return fmt.Sprintf("%s %s %s", e.Path, e.How, e.Dir) }

// New looks at the directories with these names.
func New(names []string) (Dirs, error) {
	var list Dirs
	for _, name := range names {
		real, err := filepath.Abs(name)
		if err == nil {
			real, err = filepath.EvalSymlinks(real)
		}
		d := dir{name: name, real: real}
		if err == nil {
			d.info, err = os.Stat(real)
		}
		if err != nil {
			if path := (*fs.PathError)(nil); errors.As(err, &path) {
				err = path.Err
			}
			return nil, fmt.Errorf("directory %s: %w", name, err)
		}
		for _, at := range mountsBeneath(real) {
			if info, err := os.Stat(at); err == nil {
				d.mounts = append(d.mounts, info)
			}
		}
		list = append(list, d)
	}
	return list, nil
}

// errLink is the error of Open.
var errLink = errors.New("it is a symbolic link; name the file that it leads to")

// maxLinks is how many symbolic links a path may go through, as in Linux.
const maxLinks = 40

// Check returns an *Error if the guest could change what the path leads to, or where it leads. What
// does not exist is looked for as far as it does.
func (l Dirs) Check(path string) error {
	if len(l) == 0 {
		return nil
	}
	abs, err := absolute(path)
	if err != nil {
		return err
	}
	root := func(abs string) (string, []string) {
		volume := filepath.VolumeName(abs)
		return volume + string(filepath.Separator), split(abs[len(volume):])
	}
	at, rest := root(abs)
	for links := 0; len(rest) > 0; {
		if err := l.holds(at, path, "lies beneath"); err != nil {
			return err
		}
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // and cannot come to be, since the guest does not write here
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink == 0:
			at = next
			continue
		}
		if links++; links > maxLinks {
			return fmt.Errorf("%s goes through too many symbolic links", path)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return err
		}
		parts := split(target[len(filepath.VolumeName(target)):])
		if filepath.IsAbs(target) {
			at, parts = root(target)
		}
		rest = append(parts, rest...)
	}
	if err := l.holds(at, path, "lies beneath"); err != nil {
		return err
	}
	return l.checkLinks(at, path)
}

// CheckDir is Check for a directory whose files are the host's: no directory of the guest's may
// lie in it either.
func (l Dirs) CheckDir(path string) error {
	if err := l.Check(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	for _, d := range l {
		for at := d.real; ; at = filepath.Dir(at) {
			if above, err := os.Stat(at); err == nil && os.SameFile(above, info) {
				return &Error{Path: path, Dir: d.name, How: "holds"}
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return nil
}

// holds returns an error if a file is one of the directories, or is mounted beneath one.
func (l Dirs) holds(at, path, how string) error {
	info, err := os.Stat(at)
	if err != nil {
		return err
	}
	for _, d := range l {
		if os.SameFile(info, d.info) {
			return &Error{Path: path, Dir: d.name, How: how}
		}
		for _, m := range d.mounts {
			if os.SameFile(info, m) {
				return &Error{Path: path, Dir: d.name, How: "is mounted beneath"}
			}
		}
	}
	return nil
}

// maxSearched is how many files are looked at for another name of one.
const maxSearched = 100_000

// checkLinks returns an error if a file has another name, a hard link, in one of the directories.
func (l Dirs) checkLinks(at, path string) error {
	info, err := os.Lstat(at)
	if err != nil || !info.Mode().IsRegular() || linkCount(at, info) < 2 {
		return err
	}
	left := maxSearched
	for _, d := range l {
		err := filepath.WalkDir(d.real, func(_ string, e fs.DirEntry, err error) error {
			if left--; left < 0 {
				return &Error{Path: path, Dir: d.name,
					How: "has hard links, of which one may lie beneath"}
			}
			if err != nil || !e.Type().IsRegular() {
				return nil // what the host cannot look into, the guest cannot either
			}
			if other, err := e.Info(); err == nil && os.SameFile(info, other) {
				return &Error{Path: path, Dir: d.name,
					How: "has another name (a hard link) beneath"}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// split cuts a path into names, without "." and empty ones.
func split(path string) []string {
	var names []string
	separates := func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) }
	for name := range strings.FieldsFuncSeq(path, separates) {
		if name != "." {
			names = append(names, name)
		}
	}
	return names
}
