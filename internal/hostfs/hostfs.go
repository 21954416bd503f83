// Package hostfs opens files and directories beneath a directory of the host or of an fs.FS, and
// works on them with the semantics of POSIX, on every platform.
//
// It resolves paths without leaving the directory, makes the system calls on the files found there,
// or calls the fs.FS, and opens the host's standard streams. Rights, descriptor numbers, guest
// memory and the layouts of an ABI belong to its callers. So does waiting: a File reports its
// readiness as a network.Pollable.
//
// Every error is or wraps a syscall.Errno with its POSIX meaning, except ErrEscapes and
// fs.ErrClosed. Every method may be called from several goroutines at once. After Close, methods
// return fs.ErrClosed. Calls under way complete, and the last of them closes the descriptor.
//
// No lock is taken while another lock of this package is held. snapshot.mu, direntLister.mu and
// fsLister.mu are held while the callback of ReadDir runs, so the callback must not use the Dir.
// fsLister.mu and fsFile.mu are held while the fs.FS is called.
package hostfs

import (
	"errors"
	"syscall"
)

// ErrEscapes is the error of a path that leads out of the directory where it starts: an absolute
// path, too many "..", or a symbolic link to such a path.
var ErrEscapes = errors.New("path leads out of its directory")

// Access tells how a preopened directory may be used.
type Access uint8

const (
	// ReadOnly makes every change of a file or directory EROFS.
	ReadOnly Access = iota
	// ReadWrite allows all that the host's permissions allow.
	ReadWrite
)

// FileType is the type of a file. The numbers are the filetypes of package wasi: up to Symlink,
// those of WASI preview 1.
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
	// Pipe is a pipe or FIFO, for which preview 1 has no number.
	Pipe
)

// Flags are modes of an open file that may be changed while it is open. The bits are the fdflags of
// WASI preview 1.
type Flags uint16

const (
	// Append makes writes go to the end of the file.
	Append Flags = 1 << iota
	// Dsync makes a write return when its data are on the disk (open(2), O_DSYNC).
	Dsync
	// Nonblock is only stored: no operation of this package blocks.
	Nonblock
	// Rsync makes a read wait for pending writes to the disk.
	Rsync
	// Sync makes a write return when its data and the file's times are on the disk (open(2),
	// O_SYNC).
	Sync

	allFlags = Append | Dsync | Nonblock | Rsync | Sync
)

// OpenOptions are the options of Open. Without Read and Write, the file is opened for reading.
type OpenOptions struct {
	Read, Write bool
	// Create makes a regular file if there is none.
	Create bool
	// Exclusive, with Create, fails with EEXIST if there is one.
	Exclusive bool
	Truncate  bool
	// Directory fails with ENOTDIR if the file is not a directory.
	Directory bool
	// Follow follows a symbolic link at the end of the path. Without it, such a link is ELOOP.
	Follow bool
	Flags  Flags
}

// Stat holds the properties of a file. Times are in nanoseconds since 1970.
type Stat struct {
	Dev, Ino uint64
	Type     FileType
	Nlink    uint64
	Size     uint64
	// Disk is the number of bytes allocated on the disk, or Size if the host does not report it.
	Disk                uint64
	Atime, Mtime, Ctime uint64
}

// Times are new times for a file, in nanoseconds since 1970. Times that Set does not name do not
// change.
type Times struct {
	Atime, Mtime uint64
	Set          TimeFlags
}

// TimeFlags select the times that are set, and their values. The bits are the fstflags of WASI
// preview 1.
type TimeFlags uint16

const (
	AtimeGiven TimeFlags = 1 << iota
	AtimeNow
	MtimeGiven
	MtimeNow
)

// valid returns EINVAL if one time would get two values, or if an unknown bit is set.
func (t Times) valid() error {
	const atime, mtime = AtimeGiven | AtimeNow, MtimeGiven | MtimeNow
	if t.Set&atime == atime || t.Set&mtime == mtime || t.Set&^(atime|mtime) != 0 {
		return syscall.EINVAL
	}
	return nil
}

// Advice is the expected use of a part of a file. The numbers are those of WASI preview 1.
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
	// Next is the cookie that continues after this entry.
	Next uint64
	// Ino is 0 if the host has no such number.
	Ino  uint64
	Type FileType
	// Name is valid until the callback that received it returns.
	Name []byte
}
