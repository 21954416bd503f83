// Package hostfs opens files and directories of the host beneath a directory, and works on them
// with the semantics of POSIX, on every platform.
//
// What belongs here: finding the way from a directory to a name without ever leaving the directory,
// the system calls on what is found there, and the host's own standard streams. What does not:
// rights, descriptor numbers, guest memory and the layouts of an ABI, which are the callers'
// business; and waiting, which is done elsewhere with the help of what a File says of its
// readiness.
//
// Every error is, or wraps, a syscall.Errno with its POSIX meaning, except ErrEscapes and
// fs.ErrClosed. Every method may be called from several goroutines at once. After Close, methods
// return fs.ErrClosed; those under way finish undisturbed, and the handle of the operating system
// is released when the last of them has returned.
package hostfs

import (
	"errors"
	"syscall"
)

// ErrEscapes is the error of a path that leads out of the directory it starts from: an absolute
// path, too many "..", or a symbolic link to such a path.
var ErrEscapes = errors.New("path leads out of its directory")

// Access says what a preopened directory may be used for.
type Access uint8

const (
	ReadOnly  Access = iota // whatever would change a file or a directory is EROFS
	ReadWrite               // as far as the host's permissions go
)

// FileType is the kind of a file. The numbers up to Symlink are those of preview 1.
type FileType uint8

const (
	UnknownType FileType = iota
	BlockDevice
	CharDevice
	Directory
	RegularFile
	SocketDatagram
	SocketStream
	Symlink
	Pipe // a pipe or FIFO, which preview 1 has no number for
)

// Flags are modes of an open file that may be changed while it is open. The bits are those of
// preview 1.
type Flags uint16

const (
	Append   Flags = 1 << iota // writes go to the end of the file
	Dsync                      // a write returns once its data are on the disk
	Nonblock                   // kept for the caller: no operation of this package blocks
	Rsync                      // reads wait for pending writes to the disk
	Sync                       // a write returns once its data and the file's times are on the disk

	allFlags = Append | Dsync | Nonblock | Rsync | Sync
)

// OpenOptions say how a path is opened. Without Read and Write, the file is opened for reading.
type OpenOptions struct {
	Read, Write bool
	Create      bool // make a regular file if there is none
	Exclusive   bool // with Create: fail with EEXIST if there is one
	Truncate    bool
	Directory   bool // fail with ENOTDIR if it is something else
	// follow a symbolic link at the end of the path; otherwise such a link is ELOOP
	Follow bool
	Flags  Flags
}

// Stat is what is known of a file. Times are nanoseconds since 1970.
type Stat struct {
	Dev, Ino            uint64
	Type                FileType
	Nlink               uint64
	Size                uint64
	Disk                uint64 // bytes that it takes on the disk; Size where the host does not tell
	Atime, Mtime, Ctime uint64
}

// Times are new times for a file, in nanoseconds since 1970. Those that Set does not name stay as
// they are.
type Times struct {
	Atime, Mtime uint64
	Set          TimeFlags
}

// TimeFlags say which times are set, and to what. The bits are those of preview 1.
type TimeFlags uint16

const (
	AtimeGiven TimeFlags = 1 << iota
	AtimeNow
	MtimeGiven
	MtimeNow
)

// valid reports EINVAL if the same time is to be set to two values, or a bit means nothing.
func (t Times) valid() error {
	const atime, mtime = AtimeGiven | AtimeNow, MtimeGiven | MtimeNow
	if t.Set&atime == atime || t.Set&mtime == mtime || t.Set&^(atime|mtime) != 0 {
		return syscall.EINVAL
	}
	return nil
}

// Advice tells how a part of a file is going to be used. The numbers are those of preview 1.
type Advice uint8

const (
	Normal Advice = iota
	Sequential
	Random
	WillNeed
	DontNeed
	NoReuse
)

// Entry is one entry of a directory.
type Entry struct {
	Next uint64 // the cookie that continues after this entry
	Ino  uint64 // 0 where the host has no such number
	Type FileType
	Name []byte // valid until the callback that got it returns
}
