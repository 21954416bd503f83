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
		Disk:  uint64(st.Blocks) * 512, // whatever the size of a block, see stat(2)
		Atime: nanos(st.Atim),
		Mtime: nanos(st.Mtim),
		Ctime: nanos(st.Ctim),
	}
}

// nanos has no way to tell times before 1970.
func nanos(ts unix.Timespec) uint64 {
	return uint64(max(ts.Nano(), 0))
}

// timespecs are the arguments of utimensat: access time, then modification time.
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
			err = unix.EOVERFLOW // beyond what this system's clock can say
		}
		return ts, err
	case now:
		return unix.Timespec{Nsec: utimeNow}, nil
	}
	return unix.Timespec{Nsec: utimeOmit}, nil
}
