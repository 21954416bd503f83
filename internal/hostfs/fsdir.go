package hostfs

import (
	"hash/maphash"
	"io/fs"
	"syscall"
)

// fsDir is an open directory of an fs.FS. Every change of it is EROFS.
type fsDir struct {
	uses
	tree *fsTree
	// name is the path of the directory in the fs.FS.
	name   string
	lister fsLister
}

// OpenFS opens the root of an fs.FS. Its methods are called on the goroutines that call those of
// the Dir, several at once.
func OpenFS(fsys fs.FS) (Dir, error) {
	t := &fsTree{fsys: fsys, seed: maphash.MakeSeed()}
	t.dev = t.ino("")
	info, err := t.lstat(".")
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, syscall.ENOTDIR
	}
	return t.newDir("."), nil
}

func (t *fsTree) newDir(name string) *fsDir {
	return &fsDir{tree: t, name: name, lister: fsLister{tree: t, name: name}}
}

func (d *fsDir) release() {
	if d.end() {
		d.lister.stop()
	}
}

// Close ends a listing. Calls under way complete.
func (d *fsDir) Close() error {
	last, err := d.close()
	if last {
		d.lister.stop()
	}
	return err
}

func (*fsDir) Access() Access { return ReadOnly }

// Open returns ENXIO for a device, a FIFO or a socket, which might block.
func (d *fsDir) Open(path string, o OpenOptions) (File, Dir, error) {
	if o.Flags&^allFlags != 0 || o.Create && o.Directory {
		return nil, nil, syscall.EINVAL
	}
	if err := d.acquire(); err != nil {
		return nil, nil, err
	}
	defer d.release()
	name, info, err := d.tree.resolve(d.name, path, o.Follow)
	changes := o.Write || o.Create || o.Truncate
	switch {
	case err == syscall.ENOENT && o.Create:
		return nil, nil, syscall.EROFS
	case err != nil:
		return nil, nil, err
	case o.Create && o.Exclusive:
		return nil, nil, syscall.EEXIST
	case info.IsDir() && changes:
		return nil, nil, syscall.EISDIR
	case info.IsDir():
		return nil, d.tree.newDir(name), nil
	case o.Directory:
		return nil, nil, syscall.ENOTDIR
	case fsType(info.Mode()) == Symlink:
		return nil, nil, syscall.ELOOP
	case changes:
		return nil, nil, syscall.EROFS
	case fsType(info.Mode()) != RegularFile:
		return nil, nil, syscall.ENXIO
	}
	f, err := d.tree.open(name, o.Flags)
	if err != nil {
		return nil, nil, err
	}
	return f, nil, nil
}

// readOnly returns the error of a change.
func (d *fsDir) readOnly() error {
	if err := d.acquire(); err != nil {
		return err
	}
	d.release()
	return syscall.EROFS
}

func (d *fsDir) Mkdir(string) error  { return d.readOnly() }
func (d *fsDir) Rmdir(string) error  { return d.readOnly() }
func (d *fsDir) Unlink(string) error { return d.readOnly() }
func (d *fsDir) Sync() error         { return nil }

func (d *fsDir) Symlink(target, _ string) error {
	if err := checkTarget(target); err != nil {
		return err
	}
	return d.readOnly()
}

func (d *fsDir) SetTimes(_ string, _ bool, t Times) error {
	if err := t.valid(); err != nil {
		return err
	}
	return d.readOnly()
}

func (d *fsDir) Readlink(path string, buf []byte) (int, error) {
	if err := d.acquire(); err != nil {
		return 0, err
	}
	defer d.release()
	name, info, err := d.tree.resolve(d.name, path, false)
	if err != nil {
		return 0, err
	}
	if fsType(info.Mode()) != Symlink {
		return 0, syscall.EINVAL
	}
	target, err := fs.ReadLink(d.tree.fsys, name)
	return copy(buf, target), fsError(err)
}

func (d *fsDir) Stat(path string, follow bool) (Stat, error) {
	if err := d.acquire(); err != nil {
		return Stat{}, err
	}
	defer d.release()
	name, info, err := d.tree.resolve(d.name, path, follow)
	if err != nil {
		return Stat{}, err
	}
	return d.tree.stat(name, info), nil
}

func (d *fsDir) ReadDir(cookie uint64, yield func(Entry) bool) error {
	if err := d.acquire(); err != nil {
		return err
	}
	defer d.release()
	return d.lister.list(cookie, yield)
}
