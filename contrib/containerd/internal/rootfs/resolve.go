package rootfs

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// maxRetries bounds how often a path is resolved again that a rename has disturbed (openat2(2),
// EAGAIN): another container may rename directories of a shared volume all the time.
const maxRetries = 64

// resolve returns a descriptor that stands for the file at a path beneath the container's root
// (O_PATH, see open(2)).
func (t *Tree) resolve(name string, flags uint64) (*os.File, error) {
	how := &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC | flags,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	for try := 0; ; try++ {
		fd, err := unix.Openat2(int(t.root.Fd()), name, how)
		if err == nil {
			return os.NewFile(uintptr(fd), name), nil
		}
		if err != unix.EINTR && err != unix.EAGAIN || try == maxRetries {
			return nil, err
		}
	}
}

// ensure is resolve for a mount point: it makes a missing directory, or an empty file, and the
// directories above it. It makes nothing through a symbolic link that leads nowhere.
func (t *Tree) ensure(name string, dir bool) (*os.File, error) {
	name = path.Clean("/" + name)
	at, err := t.resolve(name, 0)
	if !errors.Is(err, fs.ErrNotExist) || name == "/" {
		return at, err
	}
	parent, err := t.ensure(path.Dir(name), true)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if dir {
		err = unix.Mkdirat(int(parent.Fd()), path.Base(name), 0o755)
	} else {
		var fd int
		fd, err = unix.Openat(int(parent.Fd()), path.Base(name),
			unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
		if err == nil {
			unix.Close(fd)
		}
	}
	if err != nil && err != unix.EEXIST {
		return nil, err
	}
	return t.resolve(name, 0)
}
