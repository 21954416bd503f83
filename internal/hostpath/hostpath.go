// Package hostpath keeps the host's own files apart from the directories that a guest may write to.
//
// If the name of a file of the host leads through such a directory, the guest can replace the file:
// by other contents, or by a symbolic link to another file. So Check looks at every directory on
// the way that the kernel takes to resolve the name (path_resolution(7)). It compares them by
// device and inode, since bind mounts and symbolic links give a directory any number of names.
//
// Opening files for a guest does not belong here, see internal/hostfs. The functions keep no state
// and may be called from several goroutines.
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

// dir is a directory and the mounts beneath it.
type dir struct {
	// name is the name that was given to New.
	name string
	// resolved is the absolute name without symbolic links.
	resolved string
	info     fs.FileInfo
	mounts   []fs.FileInfo
}

// Error is the error of a file that a guest could change.
type Error struct {
	// Path is the name of the file.
	Path string
	// Dir is the name of the directory, as it was given to New.
	Dir string
	// How tells how the guest reaches the file, such as "lies beneath".
	How string
}

func (e *Error) Error() string { return fmt.Sprintf("%s %s %s", e.Path, e.How, e.Dir) }

// New records the directories with these names, and the mounts beneath them. It fails with a
// *fs.PathError if one of them does not exist.
func New(names []string) (Dirs, error) {
	var list Dirs
	for _, name := range names {
		resolved, err := filepath.Abs(name)
		if err == nil {
			resolved, err = filepath.EvalSymlinks(resolved)
		}
		d := dir{name: name, resolved: resolved}
		if err == nil {
			d.info, err = os.Stat(resolved)
		}
		if err != nil {
			if path := (*fs.PathError)(nil); errors.As(err, &path) {
				err = path.Err
			}
			return nil, &fs.PathError{Op: "directory", Path: name, Err: err}
		}
		for _, at := range mountsBeneath(resolved) {
			if info, err := os.Stat(at); err == nil {
				d.mounts = append(d.mounts, info)
			}
		}
		list = append(list, d)
	}
	return list, nil
}

// errLink is the error of Open for a symbolic link.
var errLink = errors.New("it is a symbolic link; name the file that it leads to")

// maxLinks is the number of symbolic links on one path, as in Linux (path_resolution(7)).
const maxLinks = 40

// Check returns an *Error if the guest could change the file that a path leads to, or the way
// there. A path may end in names that do not exist; Check follows the part that exists.
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
		if err := l.checkDirectory(at, path); err != nil {
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
			// The guest cannot write to the directory, so it cannot make the name.
			return nil
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
	if err := l.checkDirectory(at, path); err != nil {
		return err
	}
	return l.checkLinks(at, path)
}

// CheckDir is Check for a directory with files of the host. It also returns an *Error if a
// directory of the guest is in that directory.
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
		for at := d.resolved; ; at = filepath.Dir(at) {
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

// CheckApart returns an *Error if a directory overlaps one of the others.
func CheckApart(path string, others []string) error {
	dirs, err := New(others)
	if err != nil {
		return err
	}
	return dirs.CheckDir(path)
}

// checkDirectory returns an error if a directory on the way of path is one of the guest's, or is
// mounted beneath one.
func (l Dirs) checkDirectory(at, path string) error {
	info, err := os.Stat(at)
	if err != nil {
		return err
	}
	for _, d := range l {
		if os.SameFile(info, d.info) {
			return &Error{Path: path, Dir: d.name, How: "lies beneath"}
		}
		for _, m := range d.mounts {
			if os.SameFile(info, m) {
				return &Error{Path: path, Dir: d.name, How: "is mounted beneath"}
			}
		}
	}
	return nil
}

// maxSearched is the number of files that a search for hard links compares at most.
const maxSearched = 100_000

// checkLinks returns an error if a file has a hard link in one of the directories.
func (l Dirs) checkLinks(at, path string) error {
	info, err := os.Lstat(at)
	if err != nil || !info.Mode().IsRegular() || linkCount(at, info) < 2 {
		return err
	}
	left := maxSearched
	for _, d := range l {
		err := filepath.WalkDir(d.resolved, func(at string, e fs.DirEntry, err error) error {
			if left--; left < 0 {
				return &Error{Path: path, Dir: d.name,
					How: "has hard links, of which one may lie beneath"}
			}
			if err != nil || !e.Type().IsRegular() {
				// A directory that the host cannot read is not readable for the guest either.
				return nil
			}
			// Not e.Info: Windows takes that from the list of the directory, in which a volume may
			// number its files otherwise, as under Wine.
			if other, err := os.Lstat(at); err == nil && os.SameFile(info, other) {
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

// split divides a path into names, and leaves out "." and empty ones.
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
