package abi

import (
	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// files has the functions of WASI preview 1 for files and directories. Source:
// wasi_snapshot_preview1.witx in the WASI repository.
var files = []row{
	{"fd_advise", "iIIi", "i", "fDDd", func(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
		return wasi.ErrnoOf(c.Advise(int32(a[0]), a[1], a[2], uint32(a[3])))
	}},
	{"fd_allocate", "iII", "i", "fDD", func(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
		return wasi.ErrnoOf(c.Allocate(int32(a[0]), a[1], a[2]))
	}},
	{"fd_datasync", "i", "i", "f", func(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
		return wasi.ErrnoOf(c.Datasync(int32(a[0])))
	}},
	{"fd_sync", "i", "i", "f", func(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
		return wasi.ErrnoOf(c.Sync(int32(a[0])))
	}},
	{"fd_filestat_set_size", "iI", "i", "fD",
		func(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
			return wasi.ErrnoOf(c.SetSize(int32(a[0]), a[1]))
		}},
	{"fd_filestat_set_times", "iIIi", "i", "fDDx", fdFilestatSetTimes},
	{"fd_pread", "iiiIi", "i", "fV-Do", fdPread},
	{"fd_pwrite", "iiiIi", "i", "fv-Do", fdPwrite},
	{"fd_seek", "iIii", "i", "fDdq", fdSeek},
	{"fd_tell", "ii", "i", "fq", fdTell},
	{"fd_prestat_get", "ii", "i", "fp", fdPrestatGet},
	{"fd_prestat_dir_name", "iii", "i", "fpd", fdPrestatDirName},
	{"fd_readdir", "iiiIi", "i", "fpdDo", fdReaddir},

	{"path_create_directory", "iii", "i", "fs-",
		func(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
			return c.withPath(m, a[1], a[2],
				func(path string) error { return c.Mkdir(int32(a[0]), path) })
		}},
	{"path_remove_directory", "iii", "i", "fs-",
		func(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
			return c.withPath(m, a[1], a[2],
				func(path string) error { return c.Rmdir(int32(a[0]), path) })
		}},
	{"path_unlink_file", "iii", "i", "fs-",
		func(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
			return c.withPath(m, a[1], a[2],
				func(path string) error { return c.Unlink(int32(a[0]), path) })
		}},
	{"path_filestat_get", "iiiii", "i", "fxs-p", pathFilestatGet},
	{"path_filestat_set_times", "iiiiIIi", "i", "fxs-DDx", pathFilestatSetTimes},
	{"path_link", "iiiiiii", "i", "fxs-fs-", pathLink},
	{"path_open", "iiiiiIIii", "i", "fxs-xxxxo", pathOpen},
	{"path_readlink", "iiiiii", "i", "fs-pdo", pathReadlink},
	{"path_rename", "iiiiii", "i", "fs-fs-", pathRename},
	{"path_symlink", "iiiii", "i", "s-fs-", pathSymlink},
}

// maxPath bounds the copy of a path. It exceeds PATH_MAX of every host (4096 on Linux, limits.h).
const maxPath = 1 << 16

// copyPath copies a path from guest memory.
func (c *Caller) copyPath(m wasi.MemoryView, ptr, length uint64) (string, wasi.Errno) {
	b, e := m.Slice(uint32(ptr), uint32(length))
	if e != wasi.Success {
		return "", e
	}
	if len(b) > maxPath {
		return "", wasi.ENAMETOOLONG
	}
	c.ChargeGarbage(len(b))
	return string(b), wasi.Success
}

func (c *Caller) withPath(m wasi.MemoryView, ptr, length uint64,
	do func(path string) error) wasi.Errno {
	path, e := c.copyPath(m, ptr, length)
	if e != wasi.Success {
		return e
	}
	return wasi.ErrnoOf(do(path))
}

// getTimes decodes the arguments of the functions that set times. A flag for a given time together
// with the flag for the current time is EINVAL.
func getTimes(atim, mtim, flags uint64) (hostfs.Times, wasi.Errno) {
	const both = wasi.FstflagAtim | wasi.FstflagAtimNow
	f := uint32(flags)
	if f&^wasi.FstflagsAll != 0 || f&both == both || f>>2&both == both {
		return hostfs.Times{}, wasi.EINVAL
	}
	return hostfs.Times{Atime: atim, Mtime: mtim, Set: hostfs.TimeFlags(f)}, wasi.Success
}

func followsSymlink(flags uint64) bool { return flags&wasi.LookupSymlinkFollow != 0 }

func fdFilestatSetTimes(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	times, e := getTimes(a[1], a[2], a[3])
	if e != wasi.Success {
		return e
	}
	return wasi.ErrnoOf(c.SetTimes(int32(a[0]), times))
}

func fdPread(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	bufs, e := c.buffers(m, a[1], a[2], a[4])
	if e != wasi.Success {
		return e
	}
	n, err := c.Pread(int32(a[0]), bufs, a[3])
	return putCount(m, a[4], n, err)
}

func fdPwrite(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	bufs, e := c.buffers(m, a[1], a[2], a[4])
	if e != wasi.Success {
		return e
	}
	n, err := c.Pwrite(int32(a[0]), bufs, a[3])
	return putCount(m, a[4], n, err)
}

func fdSeek(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if uint32(a[2]) > wasi.WhenceEnd {
		return wasi.EINVAL
	}
	return seek(c, m, a[0], int64(a[1]), int(uint32(a[2])), a[3])
}

func fdTell(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return seek(c, m, a[0], 0, wasi.WhenceCur, a[1])
}

func seek(c *Caller, m wasi.MemoryView, fd uint64, offset int64, whence int,
	out uint64) wasi.Errno {
	if e := m.Check(uint32(out), 8); e != wasi.Success {
		return e
	}
	at, err := c.Seek(int32(fd), offset, whence)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint64(uint32(out), uint64(at))
}

// fdPrestatGet writes the tag 0 for a directory, the only kind that preview 1 has, and the length
// of the name.
func fdPrestatGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	name, err := c.Prestat(int32(a[0]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	if e := m.PutUint64(uint32(a[1]), uint64(len(name))<<32); e != wasi.Success {
		return e
	}
	return wasi.Success
}

func fdPrestatDirName(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	name, err := c.Prestat(int32(a[0]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	if uint64(uint32(a[2])) < uint64(len(name)) {
		return wasi.ENAMETOOLONG
	}
	b, e := m.Slice(uint32(a[1]), uint32(len(name)))
	copy(b, name)
	return e
}

// fdReaddir fills the buffer. The last entry is cut off if it does not fit: a full buffer tells the
// guest that there are more entries.
func fdReaddir(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	buf, e := m.Slice(uint32(a[1]), uint32(a[2]))
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[4]), 4); e != wasi.Success {
		return e
	}
	used := 0
	err := c.ReadDir(int32(a[0]), a[3], func(entry hostfs.Entry) bool {
		var head [wasi.SizeDirent]byte
		wasi.PutDirent(head[:], entry.Next, entry.Ino, len(entry.Name),
			wasi.Filetype(entry.Type))
		used += copy(buf[used:], head[:])
		used += copy(buf[used:], entry.Name)
		return used < len(buf)
	})
	c.ChargeGarbage(2 * used)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(a[4]), uint32(used))
}

func pathFilestatGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	out, e := m.Slice(uint32(a[4]), wasi.SizeFilestat)
	if e != wasi.Success {
		return e
	}
	return c.withPath(m, a[2], a[3], func(path string) error {
		s, err := c.StatAt(int32(a[0]), path, followsSymlink(a[1]))
		if err == nil {
			s.Put(out)
		}
		return err
	})
}

func pathFilestatSetTimes(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	times, e := getTimes(a[4], a[5], a[6])
	if e != wasi.Success {
		return e
	}
	return c.withPath(m, a[2], a[3], func(path string) error {
		return c.SetTimesAt(int32(a[0]), path, followsSymlink(a[1]), times)
	})
}

func pathLink(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return c.withPath(m, a[2], a[3], func(path string) error {
		newPath, e := c.copyPath(m, a[5], a[6])
		if e != wasi.Success {
			return e
		}
		return c.Link(int32(a[0]), path, followsSymlink(a[1]), int32(a[4]), newPath)
	})
}

func pathOpen(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[8]), 4); e != wasi.Success {
		return e
	}
	return c.withPath(m, a[2], a[3], func(path string) error {
		fd, err := c.OpenAt(int32(a[0]), path, system.OpenArgs{
			Follow: followsSymlink(a[1]), Oflags: fit16(a[4]), Flags: wasi.Fdflags(fit16(a[7])),
			Base: wasi.Rights(a[5]), Inheriting: wasi.Rights(a[6]),
		})
		if err == nil {
			m.PutUint32(uint32(a[8]), uint32(fd))
		}
		return err
	})
}

func pathReadlink(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	buf, e := m.Slice(uint32(a[3]), uint32(a[4]))
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[5]), 4); e != wasi.Success {
		return e
	}
	return c.withPath(m, a[1], a[2], func(path string) error {
		n, err := c.Readlink(int32(a[0]), path, buf)
		if err == nil {
			m.PutUint32(uint32(a[5]), uint32(n))
		}
		return err
	})
}

func pathRename(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return c.withPath(m, a[1], a[2], func(path string) error {
		newPath, e := c.copyPath(m, a[4], a[5])
		if e != wasi.Success {
			return e
		}
		return c.Rename(int32(a[0]), path, int32(a[3]), newPath)
	})
}

func pathSymlink(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return c.withPath(m, a[0], a[1], func(target string) error {
		path, e := c.copyPath(m, a[3], a[4])
		if e != wasi.Success {
			return e
		}
		return c.Symlink(target, int32(a[2]), path)
	})
}
