package abi

import (
	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// files are the functions of preview 1 that only make sense for files and directories.
var files = []Function{
	{"fd_advise", "iIIi", "i", "fDDd", func(t *Thread, _ wasi.Memory, a []uint64) wasi.Errno {
		return wasi.ErrnoOf(t.Advise(int32(a[0]), a[1], a[2], uint8(a[3])))
	}},
	{"fd_allocate", "iII", "i", "fDD", func(t *Thread, _ wasi.Memory, a []uint64) wasi.Errno {
		return wasi.ErrnoOf(t.Allocate(int32(a[0]), a[1], a[2]))
	}},
	{"fd_datasync", "i", "i", "f", func(t *Thread, _ wasi.Memory, a []uint64) wasi.Errno {
		return wasi.ErrnoOf(t.Datasync(int32(a[0])))
	}},
	{"fd_sync", "i", "i", "f", func(t *Thread, _ wasi.Memory, a []uint64) wasi.Errno {
		return wasi.ErrnoOf(t.Sync(int32(a[0])))
	}},
	{"fd_filestat_set_size", "iI", "i", "fD",
		func(t *Thread, _ wasi.Memory, a []uint64) wasi.Errno {
			return wasi.ErrnoOf(t.SetSize(int32(a[0]), a[1]))
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
		func(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
			return t.onPath(m, a[1], a[2],
				func(path string) error { return t.Mkdir(int32(a[0]), path) })
		}},
	{"path_remove_directory", "iii", "i", "fs-",
		func(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
			return t.onPath(m, a[1], a[2],
				func(path string) error { return t.Rmdir(int32(a[0]), path) })
		}},
	{"path_unlink_file", "iii", "i", "fs-", func(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
		return t.onPath(m, a[1], a[2],
			func(path string) error { return t.Unlink(int32(a[0]), path) })
	}},
	{"path_filestat_get", "iiiii", "i", "fxs-p", pathFilestatGet},
	{"path_filestat_set_times", "iiiiIIi", "i", "fxs-DDx", pathFilestatSetTimes},
	{"path_link", "iiiiiii", "i", "fxs-fs-", pathLink},
	{"path_open", "iiiiiIIii", "i", "fxs-xxxxo", pathOpen},
	{"path_readlink", "iiiiii", "i", "fs-pdo", pathReadlink},
	{"path_rename", "iiiiii", "i", "fs-fs-", pathRename},
	{"path_symlink", "iiiii", "i", "s-fs-", pathSymlink},
}

// The longest path that any host takes is much shorter.
const maxPath = 1 << 16

// path copies a path out of guest memory.
func (t *Thread) path(m wasi.Memory, ptr, length uint64) (string, wasi.Errno) {
	b, e := m.Slice(uint32(ptr), uint32(length))
	if e != wasi.Success {
		return "", e
	}
	if len(b) > maxPath {
		return "", wasi.ENAMETOOLONG
	}
	t.Garbage(len(b))
	return string(b), wasi.Success
}

func (t *Thread) onPath(m wasi.Memory, ptr, length uint64, do func(path string) error) wasi.Errno {
	path, e := t.path(m, ptr, length)
	if e != wasi.Success {
		return e
	}
	return wasi.ErrnoOf(do(path))
}

// getTimes decodes the times of the functions that set them. Both a given time and now at once is
// EINVAL.
func getTimes(atim, mtim, flags uint64) (hostfs.Times, wasi.Errno) {
	const both = wasi.FstflagAtim | wasi.FstflagAtimNow
	f := uint16(flags)
	if f&^wasi.FstflagsAll != 0 || f&both == both || f>>2&both == both {
		return hostfs.Times{}, wasi.EINVAL
	}
	return hostfs.Times{Atime: atim, Mtime: mtim, Set: hostfs.TimeFlags(f)}, wasi.Success
}

func follows(flags uint64) bool { return flags&wasi.LookupSymlinkFollow != 0 }

func fdFilestatSetTimes(t *Thread, _ wasi.Memory, a []uint64) wasi.Errno {
	times, e := getTimes(a[1], a[2], a[3])
	if e != wasi.Success {
		return e
	}
	return wasi.ErrnoOf(t.SetTimes(int32(a[0]), times))
}

func fdPread(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	return t.transfer(m, a[1], a[2], a[4],
		func(bufs [][]byte) (int, error) { return t.Pread(int32(a[0]), bufs, a[3]) })
}

func fdPwrite(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	return t.transfer(m, a[1], a[2], a[4],
		func(bufs [][]byte) (int, error) { return t.Pwrite(int32(a[0]), bufs, a[3]) })
}

func fdSeek(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	if uint8(a[2]) > wasi.WhenceEnd {
		return wasi.EINVAL
	}
	return seek(t, m, a[0], int64(a[1]), int(uint8(a[2])), a[3])
}

func fdTell(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	return seek(t, m, a[0], 0, wasi.WhenceCur, a[1])
}

func seek(t *Thread, m wasi.Memory, fd uint64, offset int64, whence int, out uint64) wasi.Errno {
	if e := m.Check(uint32(out), 8); e != wasi.Success {
		return e
	}
	at, err := t.Seek(int32(fd), offset, whence)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint64(uint32(out), uint64(at))
}

// fdPrestatGet writes the tag of a directory, the only kind there is, and the length of its name.
func fdPrestatGet(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	name, err := t.Prestat(int32(a[0]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	if e := m.PutUint64(uint32(a[1]), uint64(len(name))<<32); e != wasi.Success {
		return e
	}
	return wasi.Success
}

func fdPrestatDirName(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	name, err := t.Prestat(int32(a[0]))
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

// fdReaddir fills the buffer; an entry that does not fit is cut off, by which the guest sees that
// there is more.
func fdReaddir(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	buf, e := m.Slice(uint32(a[1]), uint32(a[2]))
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[4]), 4); e != wasi.Success {
		return e
	}
	used := 0
	err := t.ReadDir(int32(a[0]), a[3], func(entry hostfs.Entry) bool {
		var head [wasi.SizeDirent]byte
		typ := wasi.Filetype(entry.Type)
		if entry.Type > hostfs.Symlink {
			typ = wasi.FiletypeUnknown
		}
		wasi.PutDirent(head[:], entry.Next, entry.Ino, len(entry.Name), typ)
		used += copy(buf[used:], head[:])
		used += copy(buf[used:], entry.Name)
		return used < len(buf)
	})
	t.Garbage(2 * used)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(a[4]), uint32(used))
}

func pathFilestatGet(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	out, e := m.Slice(uint32(a[4]), wasi.SizeFilestat)
	if e != wasi.Success {
		return e
	}
	return t.onPath(m, a[2], a[3], func(path string) error {
		s, err := t.StatAt(int32(a[0]), path, follows(a[1]))
		if err == nil {
			s.Put(out)
		}
		return err
	})
}

func pathFilestatSetTimes(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	times, e := getTimes(a[4], a[5], a[6])
	if e != wasi.Success {
		return e
	}
	return t.onPath(m, a[2], a[3], func(path string) error {
		return t.SetTimesAt(int32(a[0]), path, follows(a[1]), times)
	})
}

func pathLink(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	return t.onPath(m, a[2], a[3], func(path string) error {
		newPath, e := t.path(m, a[5], a[6])
		if e != wasi.Success {
			return e
		}
		return t.Link(int32(a[0]), path, follows(a[1]), int32(a[4]), newPath)
	})
}

func pathOpen(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[8]), 4); e != wasi.Success {
		return e
	}
	return t.onPath(m, a[2], a[3], func(path string) error {
		fd, err := t.OpenAt(int32(a[0]), path, system.OpenPath{
			Follow: follows(a[1]), Oflags: uint16(a[4]), Flags: wasi.Fdflags(a[7]),
			Base: wasi.Rights(a[5]), Inheriting: wasi.Rights(a[6]),
		})
		if err == nil {
			m.PutUint32(uint32(a[8]), uint32(fd))
		}
		return err
	})
}

func pathReadlink(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	buf, e := m.Slice(uint32(a[3]), uint32(a[4]))
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[5]), 4); e != wasi.Success {
		return e
	}
	return t.onPath(m, a[1], a[2], func(path string) error {
		n, err := t.Readlink(int32(a[0]), path, buf)
		if err == nil {
			m.PutUint32(uint32(a[5]), uint32(n))
		}
		return err
	})
}

func pathRename(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	return t.onPath(m, a[1], a[2], func(path string) error {
		newPath, e := t.path(m, a[4], a[5])
		if e != wasi.Success {
			return e
		}
		return t.Rename(int32(a[0]), path, int32(a[3]), newPath)
	})
}

func pathSymlink(t *Thread, m wasi.Memory, a []uint64) wasi.Errno {
	return t.onPath(m, a[0], a[1], func(target string) error {
		path, e := t.path(m, a[3], a[4])
		if e != wasi.Success {
			return e
		}
		return t.Symlink(target, int32(a[2]), path)
	})
}
