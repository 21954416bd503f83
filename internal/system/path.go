package system

import (
	"syscall"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/wasi"
)

// dirAt returns the descriptor fd as a directory if it has all rights in want. Anything else is
// ENOTDIR.
func (g *Guest) dirAt(fd int32, want wasi.Rights) (directory, *descriptor, error) {
	d, err := g.table.lookup(fd)
	if err != nil {
		return directory{}, nil, err
	}
	o, ok := d.object.(directory)
	if !ok {
		return directory{}, nil, syscall.ENOTDIR
	}
	return o, d, d.require(want)
}

// Prestat returns the name of a preopened directory. Any other descriptor is EBADF.
func (g *Guest) Prestat(fd int32) (string, error) {
	d, err := g.table.lookup(fd)
	if err != nil {
		return "", err
	}
	if d.preopen == nil {
		return "", syscall.EBADF
	}
	return *d.preopen, nil
}

// PreopenInfo describes one of Config.Preopens.
type PreopenInfo struct {
	FD     int32
	Name   string
	Access hostfs.Access
}

// Preopens returns the preopened directories that are still open under their first numbers.
func (g *Guest) Preopens() []PreopenInfo {
	var list []PreopenInfo
	for i := range g.preopens {
		fd := int32(firstPreopen + i)
		if dir, d, err := g.dirAt(fd, 0); err == nil && d.preopen != nil {
			list = append(list, PreopenInfo{fd, *d.preopen, dir.Access()})
		}
	}
	return list
}

// OpenArgs are the arguments of path_open.
type OpenArgs struct {
	Follow           bool
	Oflags           uint16
	Flags            wasi.Fdflags
	Base, Inheriting wasi.Rights
}

// accessRights are the rights that a file has only if path_open asks for them: they stand for the
// access mode of open(2). The other rights come from the directory.
const accessRights = wasi.RightFdRead | wasi.RightFdWrite

// OpenAt opens a path beneath a directory. The new descriptor reports the rights that were asked
// for, that the directory's inheriting rights include and that apply to its type. The rights that
// calls check are the directory's, without accessRights that were not asked for.
func (g *Guest) OpenAt(fd int32, path string, o OpenArgs) (int32, error) {
	need := wasi.RightPathOpen
	if o.Oflags&wasi.OflagCreat != 0 {
		need |= wasi.RightPathCreateFile
	}
	if o.Oflags&wasi.OflagTrunc != 0 {
		need |= wasi.RightPathFilestatSetSize
	}
	dir, d, err := g.dirAt(fd, need)
	if err != nil {
		return -1, err
	}
	if o.Oflags&^wasi.OflagsAll != 0 || o.Flags&^wasi.FdflagsAll != 0 {
		return -1, syscall.EINVAL
	}
	if err := g.checkRoom(); err != nil {
		return -1, err
	}
	handedOn := wasi.Rights(d.enforced.inheriting.Load())
	base := o.Base & handedOn
	f, sub, err := dir.quota.openFile(dir.Dir, path, hostfs.OpenOptions{
		Read:      base&wasi.RightFdRead != 0,
		Write:     base&wasi.RightFdWrite != 0,
		Create:    o.Oflags&wasi.OflagCreat != 0,
		Exclusive: o.Oflags&wasi.OflagExcl != 0,
		Truncate:  o.Oflags&wasi.OflagTrunc != 0,
		Directory: o.Oflags&wasi.OflagDirectory != 0,
		Follow:    o.Follow,
		Flags:     hostfs.Flags(o.Flags),
	})
	if err != nil {
		return -1, pathError(err)
	}
	var n *descriptor
	possible, inheriting := wasi.RightsFile, o.Inheriting&handedOn
	if sub != nil {
		possible = wasi.RightsDirectory
		n = newDirectory(directory{sub, dir.quota}, nil, base&possible, inheriting)
	} else {
		n = newDescriptor(file{f, dir.quota}, base&possible, inheriting)
		n.nonblock.Store(o.Flags&wasi.FdflagNonblock != 0)
	}
	n.enforced.set((handedOn&^accessRights|base)&possible, handedOn)
	return g.insert(n)
}

// ReadDir calls yield for each entry of a directory from a cookie on, until yield returns false.
func (g *Guest) ReadDir(fd int32, cookie uint64, yield func(hostfs.Entry) bool) error {
	dir, _, err := g.dirAt(fd, wasi.RightFdReaddir)
	if err != nil {
		return err
	}
	return dir.ReadDir(cookie, yield)
}

// The methods below implement the path functions of WASI preview 1.
func (g *Guest) Mkdir(fd int32, path string) error {
	dir, _, err := g.dirAt(fd, wasi.RightPathCreateDirectory)
	if err != nil {
		return err
	}
	return pathError(dir.quota.addName(func() error { return dir.Mkdir(path) }))
}

func (g *Guest) Rmdir(fd int32, path string) error {
	dir, _, err := g.dirAt(fd, wasi.RightPathRemoveDirectory)
	if err != nil {
		return err
	}
	stat := func() (hostfs.Stat, error) { return dir.Stat(path, false) }
	return pathError(dir.quota.removeName(stat, func() error { return dir.Rmdir(path) }))
}

func (g *Guest) Unlink(fd int32, path string) error {
	dir, _, err := g.dirAt(fd, wasi.RightPathUnlinkFile)
	if err != nil {
		return err
	}
	stat := func() (hostfs.Stat, error) { return dir.Stat(path, false) }
	return pathError(dir.quota.removeName(stat, func() error { return dir.Unlink(path) }))
}

func (g *Guest) Symlink(target string, fd int32, path string) error {
	dir, _, err := g.dirAt(fd, wasi.RightPathSymlink)
	if err != nil {
		return err
	}
	return pathError(dir.quota.addName(func() error { return dir.Symlink(target, path) }))
}

func (g *Guest) Readlink(fd int32, path string, buf []byte) (int, error) {
	dir, _, err := g.dirAt(fd, wasi.RightPathReadlink)
	if err != nil {
		return 0, err
	}
	n, err := dir.Readlink(path, buf)
	return n, pathError(err)
}

func (g *Guest) StatAt(fd int32, path string, follow bool) (wasi.Filestat, error) {
	dir, _, err := g.dirAt(fd, wasi.RightPathFilestatGet)
	if err != nil {
		return wasi.Filestat{}, err
	}
	s, err := dir.Stat(path, follow)
	return filestat(s), pathError(err)
}

func (g *Guest) SetTimesAt(fd int32, path string, follow bool, at hostfs.Times) error {
	dir, _, err := g.dirAt(fd, wasi.RightPathFilestatSetTimes)
	if err != nil {
		return err
	}
	return pathError(dir.SetTimes(path, follow, at))
}

// errOtherQuota is the error of a rename or a link between directories of different quotas. The
// file would be charged to one and refunded by the other. Programs copy on EXDEV (rename(2)), which
// is charged like any write.
const errOtherQuota = syscall.EXDEV

func (g *Guest) Rename(fd int32, path string, newFD int32, newPath string) error {
	dir, _, err := g.dirAt(fd, wasi.RightPathRenameSource)
	if err != nil {
		return err
	}
	to, _, err := g.dirAt(newFD, wasi.RightPathRenameTarget)
	if err != nil {
		return err
	}
	if dir.quota != to.quota {
		return errOtherQuota
	}
	// The file that is replaced is charged no longer. A rename onto the same file leaves both names
	// (rename(2)).
	replaced := func() (hostfs.Stat, error) {
		s, err := to.Stat(newPath, false)
		if moved, unknown := dir.Stat(path, false); unknown != nil || idOf(moved) == idOf(s) {
			err = syscall.ENOENT
		}
		return s, err
	}
	return pathError(to.quota.removeName(replaced, func() error {
		return hostfs.Rename(dir.Dir, path, to.Dir, newPath)
	}))
}

func (g *Guest) Link(fd int32, path string, follow bool, newFD int32, newPath string) error {
	dir, _, err := g.dirAt(fd, wasi.RightPathLinkSource)
	if err != nil {
		return err
	}
	to, _, err := g.dirAt(newFD, wasi.RightPathLinkTarget)
	if err != nil {
		return err
	}
	if dir.quota != to.quota {
		return errOtherQuota
	}
	return pathError(to.quota.addName(func() error {
		return hostfs.Link(dir.Dir, path, follow, to.Dir, newPath)
	}))
}
