package hostfs

import (
	"syscall"

	"github.com/wasport/wasport/network"
)

// A Dir is an open directory: one of the host, from [OpenRoot], or one of an fs.FS, from [OpenFS].
// Its methods reach only the files beneath it.
type Dir interface {
	// Access tells how the directory may be used.
	Access() Access

	// Open opens a file or a directory, and returns the one or the other. It never blocks on a
	// FIFO. A created file has mode 0666 less the process's umask.
	Open(path string, o OpenOptions) (File, Dir, error)

	// Mkdir makes a directory with mode 0777 less the process's umask.
	Mkdir(path string) error

	// Rmdir removes an empty directory. It returns ENOTDIR for a file that is not a directory.
	Rmdir(path string) error

	// Unlink removes the name of a file. It returns EISDIR for a directory.
	Unlink(path string) error

	// Symlink makes a symbolic link. The target must be relative. It is judged each time that the
	// link is followed.
	Symlink(target, path string) error

	// Readlink reads the target of a symbolic link into buf. It returns the number of bytes, at
	// most len(buf). It returns EINVAL for a file that is not a symbolic link.
	Readlink(path string, buf []byte) (int, error)

	// Stat returns the properties of the file at a path, and SetTimes sets its times. "." is the
	// directory itself.
	Stat(path string, follow bool) (Stat, error)
	SetTimes(path string, follow bool, t Times) error

	// Sync returns when the entries of the directory are on the disk (fsync(2)).
	Sync() error

	// ReadDir calls yield for the entries of the directory, with "." and "..", until yield returns
	// false. Cookie 0 is the beginning, and Entry.Next continues after an entry. An entry for which
	// yield returned false is delivered again. yield must not use the Dir.
	ReadDir(cookie uint64, yield func(Entry) bool) error

	Close() error
}

// A File is an open file that is not a directory. Operations do not block, except while a disk
// works. If there are no data or no room, they return EAGAIN, with Nonblock or without.
type File interface {
	network.Pollable

	// Type returns the type of the file, and Stat its properties.
	Type() FileType
	Stat() (Stat, error)

	// Terminal reports whether the file is a terminal.
	Terminal() bool

	// Readv reads into bufs, in order, from the current position. 0 bytes into a buffer that is not
	// empty are the end of the file. Preadv reads from an offset and leaves the current position;
	// it returns ESPIPE for a file without positions.
	Readv(bufs [][]byte) (int, error)
	Preadv(bufs [][]byte, offset uint64) (int, error)

	// Writev writes bufs, in order, at the current position, or at the end with Append. Pwritev
	// writes at an offset and leaves the current position. Appendv writes at the end, also without
	// Append, and may change the current position. Each may write fewer bytes than bufs hold.
	Writev(bufs [][]byte) (int, error)
	Pwritev(bufs [][]byte, offset uint64) (int, error)
	Appendv(bufs [][]byte) (int, error)

	// Seek sets the current position and returns it. whence is io.SeekStart, io.SeekCurrent or
	// io.SeekEnd. It returns ESPIPE for a file without positions.
	Seek(offset int64, whence int) (int64, error)

	// SetSize truncates the file, or extends it with zeroes. Allocate makes it at least
	// offset+length bytes long and, if the host can, reserves the space (posix_fallocate(3)).
	SetSize(size uint64) error
	Allocate(offset, length uint64) error

	SetTimes(t Times) error

	// Sync returns when the file is on the disk (fsync(2)), Datasync when its data are
	// (fdatasync(2)).
	Sync() error
	Datasync() error

	// Advise tells the host the expected use of a part of the file (posix_fadvise(2)). Length 0 is
	// the part up to the end. Hosts may ignore it.
	Advise(offset, length uint64, a Advice) error

	// Flags returns the flags that were set last, or else those of Open. SetFlags sets all flags.
	Flags() Flags
	SetFlags(Flags) error

	Close() error
}

// OpenRoot opens a directory of the host. The path may be absolute and may lead through symbolic
// links. Directories that are opened beneath a read-only directory are read-only.
func OpenRoot(path string, access Access) (Dir, error) {
	d, err := openOSDir(path, access)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Rename renames a file, perhaps into another Dir. It returns EXDEV between different file systems.
func Rename(from Dir, path string, to Dir, newPath string) error {
	a, b, err := bothOfHost(from, to)
	if err != nil {
		return err
	}
	return rename(a, path, b, newPath)
}

// Link makes another name of a file, perhaps in another Dir. With follow, it follows a symbolic
// link at the end of path.
func Link(from Dir, path string, follow bool, to Dir, newPath string) error {
	a, b, err := bothOfHost(from, to)
	if err != nil {
		return err
	}
	return link(a, path, follow, b, newPath)
}

// bothOfHost returns EROFS unless both directories are the host's: no other can be changed.
func bothOfHost(from, to Dir) (*osDir, *osDir, error) {
	a, ok := from.(*osDir)
	b, ok2 := to.(*osDir)
	if !ok || !ok2 {
		return nil, nil, syscall.EROFS
	}
	return a, b, nil
}
