//go:build unix

package hostfs

import (
	"time"

	"golang.org/x/sys/unix"
)

func typeOf(st *unix.Stat_t) FileType {
	switch uint32(st.Mode) & unix.S_IFMT {
	case unix.S_IFBLK:
		return BlockDevice
	case unix.S_IFCHR:
		return CharDevice
	case unix.S_IFDIR:
		return Directory
	case unix.S_IFREG:
		return RegularFile
	case unix.S_IFSOCK:
		return SocketStream
	case unix.S_IFLNK:
		return Symlink
	case unix.S_IFIFO:
		return Pipe
	}
	return UnknownType
}

func statOf(st *unix.Stat_t) Stat {
	return Stat{
		Dev:   uint64(st.Dev),
		Ino:   uint64(st.Ino),
		Type:  typeOf(st),
		Nlink: uint64(st.Nlink),
		Size:  uint64(st.Size),
		// st_blocks counts units of 512 bytes on every file system (stat(2)).
		Disk:  uint64(st.Blocks) * 512,
		Atime: nanos(st.Atim),
		Mtime: nanos(st.Mtim),
		Ctime: nanos(st.Ctim),
	}
}

// nanos returns 0 for times before 1970, which WASI's timestamp cannot express.
func nanos(ts unix.Timespec) uint64 {
	return uint64(max(ts.Nano(), 0))
}

// timespecs returns the times argument of utimensat(2): the access time, then the modification
// time.
func timespecs(t Times) (ts [2]unix.Timespec, err error) {
	if ts[0], err = timespec(t.Atime, t.Set&AtimeGiven != 0, t.Set&AtimeNow != 0); err == nil {
		ts[1], err = timespec(t.Mtime, t.Set&MtimeGiven != 0, t.Set&MtimeNow != 0)
	}
	return ts, err
}

func timespec(ns uint64, given, now bool) (unix.Timespec, error) {
	switch {
	case given:
		const second = uint64(time.Second)
		ts, err := unix.TimeToTimespec(time.Unix(int64(ns/second), int64(ns%second)))
		if err != nil {
			// The time is beyond the range of this system's time_t.
			err = unix.EOVERFLOW
		}
		return ts, err
	case now:
		return unix.Timespec{Nsec: utimeNow}, nil
	}
	return unix.Timespec{Nsec: utimeOmit}, nil
}
