package abi_test

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/wasport/wasport/internal/wasi"
)

const longPath = 40000 // an address for paths of any length

func (c *caller) longPath(p string) (ptr, length uint64) {
	copy(c.memory()[longPath:], p)
	return longPath, uint64(len(p))
}

// openAt opens a path for reading and writing, or a directory for reading.
func (c *caller) openAt(p string, oflags uint64) wasi.Errno {
	rights := uint64(wasi.RightsFile)
	if oflags&wasi.OflagDirectory != 0 {
		rights = uint64(wasi.RightFdReaddir)
	}
	ptr, n := c.longPath(p)
	return c.call("path_open", dir, 1, ptr, n, oflags, rights, 0, 0, out)
}

func (c *caller) mustOpen(p string) uint64 {
	if e := c.openAt(p, wasi.OflagCreat); e != wasi.Success {
		c.t.Fatalf("%s: got %v, want success", p, e)
	}
	return c.u32(out)
}

// at calls an import that takes a directory and a path.
func (c *caller) at(name, p string) wasi.Errno {
	ptr, n := c.longPath(p)
	return c.call(name, dir, ptr, n)
}

func (c *caller) rename(from, to string) wasi.Errno {
	ptr, n := c.longPath(from)
	copy(c.memory()[longPath+1024:], to)
	return c.call("path_rename", dir, ptr, n, dir, longPath+1024, uint64(len(to)))
}

func (c *caller) symlink(target, p string) wasi.Errno {
	ptr, n := c.longPath(target)
	copy(c.memory()[longPath+1024:], p)
	return c.call("path_symlink", ptr, n, dir, longPath+1024, uint64(len(p)))
}

// filestat tells the type, the size and the number of links of a file.
func (c *caller) filestat(p string, follow uint64) string {
	ptr, n := c.longPath(p)
	if e := c.call("path_filestat_get", dir, follow, ptr, n, out); e != wasi.Success {
		return e.String()
	}
	b := c.memory()[out:]
	return fmt.Sprintf("type %d, size %d, links %d", b[16], binary.LittleEndian.Uint64(b[32:]),
		binary.LittleEndian.Uint64(b[24:]))
}

// names are those that systems judge differently. Each is created, and the directory listed.
var names = []string{"NUL", "COM1", "nul.txt", "file1:stream", "trailing.", "trailing ", "FILE1",
	`back\slash`, `..\escape`, "C:", "C:file", `\\server\share`, "question?", "a*b", "a<b", "\"q\"",
	"tab\t", "café", "CON", "LPT1.log", "FILE1~1", "/absolute", "../above", ".", "..", "",
	"file1/below", "missing/below", "file1/", "nul\x00byte", "\xff"}

func fileSituations() []situation {
	list := fileCalls
	for _, n := range names {
		list = append(list, situation{"path_open", fmt.Sprintf("creates %q", n),
			func(c *caller) string {
				return results(c.openAt(n, wasi.OflagCreat), c.openAt(n, 0))
			}})
	}
	return list
}

var fileCalls = []situation{
	{"clock_res_get", "real time", func(c *caller) string {
		c.must("clock_res_get", wasi.ClockRealtime, out)
		return fmt.Sprintf("%d ns", c.u32(out))
	}},
	{"clock_res_get", "monotonic", func(c *caller) string {
		c.must("clock_res_get", wasi.ClockMonotonic, out)
		return fmt.Sprintf("%d ns", c.u32(out))
	}},
	{"clock_res_get", "processor time", func(c *caller) string {
		return results(c.call("clock_res_get", wasi.ClockProcessCPU, out))
	}},
	{"fd_fdstat_get", "types of stdin, directory, stream, datagrams, file", func(c *caller) string {
		var types []string
		for _, fd := range []uint64{stdin, dir, c.open(0, stream), c.open(0, datagram),
			c.openFile()} {
			c.must("fd_fdstat_get", fd, out)
			types = append(types, fmt.Sprint(c.memory()[out]))
		}
		return strings.Join(types, ", ")
	}},
	{"path_filestat_get", "file", func(c *caller) string { return c.filestat("file1", 0) }},
	{"path_filestat_get", "symbolic link",
		func(c *caller) string { return c.filestat("link1", 0) }},
	{"path_filestat_get", "symbolic link, followed",
		func(c *caller) string { return c.filestat("link1", 1) }},
	{"path_filestat_get", "missing", func(c *caller) string { return c.filestat("none", 0) }},
	{"path_filestat_get", "whether times are as they were set", func(c *caller) string {
		ptr, n := c.longPath("file1")
		c.must("path_filestat_set_times", dir, 0, ptr, n, 1e18, 12e17,
			wasi.FstflagAtim|wasi.FstflagMtim)
		c.must("path_filestat_get", dir, 0, ptr, n, out)
		return fmt.Sprintf("of access: %v, of modification: %v",
			binary.LittleEndian.Uint64(c.memory()[out+40:]) == 1e18,
			binary.LittleEndian.Uint64(c.memory()[out+48:]) == 12e17)
	}},
	{"path_open", "exclusive, existing", func(c *caller) string {
		return c.openAt("file1", wasi.OflagCreat|wasi.OflagExcl).String()
	}},
	{"path_open", "a file as a directory", func(c *caller) string {
		return c.openAt("file1", wasi.OflagDirectory).String()
	}},
	{"path_open", "a directory for writing", func(c *caller) string {
		return c.openAt("empty", 0).String()
	}},
	{"path_open", "truncates", func(c *caller) string {
		return c.openAt("file1", wasi.OflagTrunc).String() + ", then " + c.filestat("file1", 0)
	}},
	{"path_open", "a name of 300 bytes", func(c *caller) string {
		return c.openAt(strings.Repeat("n", 300), wasi.OflagCreat).String()
	}},
	{"path_open", "a symbolic link, not followed", func(c *caller) string {
		ptr, n := c.longPath("link1")
		return c.call("path_open", dir, 0, ptr, n, 0, uint64(wasi.RightFdRead), 0, 0, out).String()
	}},
	{"path_create_directory", "existing",
		func(c *caller) string { return c.at("path_create_directory", "empty").String() }},
	{"path_remove_directory", "a file",
		func(c *caller) string { return c.at("path_remove_directory", "file1").String() }},
	{"path_remove_directory", "not empty", func(c *caller) string {
		c.mustOpen("empty/file")
		return c.at("path_remove_directory", "empty").String()
	}},
	{"path_unlink_file", "a directory",
		func(c *caller) string { return c.at("path_unlink_file", "empty").String() }},
	{"path_unlink_file", "an open file, which is created anew", func(c *caller) string {
		fd := c.mustOpen("file1")
		return results(c.at("path_unlink_file", "file1"), c.openAt("file1", 0),
			c.openAt("file1", wasi.OflagCreat), c.call("fd_read", fd, iov, 1, out2))
	}},
	{"path_rename", "over a file", func(c *caller) string {
		return results(c.rename("file1", "gone1"), c.openAt("file1", 0))
	}},
	{"path_rename", "over an open file", func(c *caller) string {
		c.mustOpen("gone1")
		return c.rename("file1", "gone1").String()
	}},
	{"path_rename", "an open file", func(c *caller) string {
		c.mustOpen("file1")
		return c.rename("file1", "new").String()
	}},
	{"path_rename", "a file over a directory",
		func(c *caller) string { return c.rename("file1", "empty").String() }},
	{"path_rename", "a directory over a file",
		func(c *caller) string { return c.rename("empty", "file1").String() }},
	{"path_rename", "a directory over an empty one", func(c *caller) string {
		c.must("path_create_directory", append([]uint64{dir}, c.path("more")...)...)
		return c.rename("more", "empty").String()
	}},
	{"path_rename", "a directory into itself",
		func(c *caller) string { return c.rename("empty", "empty/below").String() }},
	{"path_rename", "to another case", func(c *caller) string {
		return results(c.rename("file1", "FILE1"), c.openAt("FILE1", 0))
	}},
	{"path_link", "over a file", func(c *caller) string {
		ptr, n := c.longPath("file1")
		return c.call("path_link", dir, 0, ptr, n, dir, ptr, n).String()
	}},
	{"path_link", "a directory", func(c *caller) string {
		ptr, n := c.longPath("empty")
		c.putPath(path2, "hard1")
		return c.call("path_link", dir, 0, ptr, n, dir, path2, pathLen).String()
	}},
	{"path_link", "then the number of links", func(c *caller) string {
		ptr, n := c.longPath("file1")
		c.putPath(path2, "hard1")
		c.must("path_link", dir, 0, ptr, n, dir, path2, pathLen)
		return c.filestat("hard1", 0)
	}},
	{"path_readlink", "a file", func(c *caller) string {
		ptr, n := c.longPath("file1")
		return c.call("path_readlink", dir, ptr, n, out, 16, out2).String()
	}},
	{"path_symlink", "to itself, then opened", func(c *caller) string {
		return results(c.symlink("loop", "loop"), c.openAt("loop", 0))
	}},
	{"path_symlink", "absolute", func(c *caller) string {
		return c.symlink("/etc", "absolute").String()
	}},
	{"path_symlink", "above, then opened", func(c *caller) string {
		return results(c.symlink("..", "up"), c.openAt("up/file", wasi.OflagCreat))
	}},
	{"fd_filestat_set_size", "larger, then the size", func(c *caller) string {
		fd := c.mustOpen("file1")
		return c.call("fd_filestat_set_size", fd, 100).String() + ", then " + c.filestat("file1", 0)
	}},
	{"fd_allocate", "beyond the end, then the size", func(c *caller) string {
		fd := c.mustOpen("file1")
		return c.call("fd_allocate", fd, 50, 50).String() + ", then " + c.filestat("file1", 0)
	}},
	{"fd_pread", "beyond the end", func(c *caller) string {
		c.must("fd_pread", c.openFile(), iov, 1, 1000, out2)
		return fmt.Sprintf("%d bytes", c.u32(out2))
	}},
	{"fd_pwrite", "appending, at 0, then the size", func(c *caller) string {
		fd := c.mustOpen("file1")
		c.must("fd_fdstat_set_flags", fd, uint64(wasi.FdflagAppend))
		e := c.call("fd_pwrite", fd, iov, 1, 0, out2)
		return e.String() + ", then " + c.filestat("file1", 0)
	}},
	{"fd_readdir", "names", func(c *caller) string {
		c.must("fd_readdir", dir, out, 1024, 0, out3+1024)
		return fmt.Sprintf("%d bytes", c.u32(out3+1024))
	}},
}

// path returns the arguments of a path.
func (c *caller) path(p string) []uint64 {
	ptr, n := c.longPath(p)
	return []uint64{ptr, n}
}
