package wasi2

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

const descriptorMethod = "filesystem/types.[method]descriptor."

// fileTree makes the files of the tests below.
func fileTree(t testing.TB) string {
	t.Helper()
	base := t.TempDir()
	dir := filepath.Join(base, "root")
	for _, path := range []string{"dir/sub", "empty"} {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range map[string]string{
		"root/file": "hello", "root/dir/inner": "inner", "secret": "secret",
	} {
		if err := os.WriteFile(filepath.Join(base, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"link": "file", "out": "../secret", "absolute": "/etc/passwd", "loop": "loop",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err) // Windows needs a privilege
		}
	}
	return dir
}

// newFiles makes a caller with the directory, and returns its descriptor.
func newFiles(t testing.TB, dir string, access hostfs.Access) (c *caller, root uint64) {
	t.Helper()
	d, err := hostfs.OpenRoot(dir, access)
	if err != nil {
		t.Fatal(err)
	}
	c = newCaller(t, system.Config{Preopens: []system.Preopen{{Dir: d, Name: "/data"}}})
	c.wants(`[(1, "/data")]`, "filesystem/preopens.get-directories")
	return c, 1
}

// open opens a path with open-flags and descriptor-flags by their letters: c = create, d =
// directory, x = exclusive, t = truncate; r = read, w = write, m = mutate-directory.
func (c *caller) open(dir uint64, path, how string) uint64 {
	c.Helper()
	return c.handle(descriptorMethod+"open-at", openArgs(dir, 1, path, how)...)
}

func openArgs(dir uint64, follow int, path, how string) []any {
	open, flags := 0, 0
	for _, letter := range how {
		if i := strings.IndexRune("cdxt", letter); i >= 0 {
			open |= 1 << i
		}
		flags |= map[rune]int{'r': 1, 'w': 2, 's': 4, 'm': 32}[letter]
	}
	return []any{dir, follow, path, open, flags}
}

// TestOpenAt opens paths in each way.
func TestOpenAt(t *testing.T) {
	checkOpenAt(t, []openAtTest{
		{"file", "r", "ok", 0},
		{"file", "", "ok", 0},
		{"file", "rw", "ok", 0},
		{"file", "d", "err(not-directory)", 0},
		{"dir", "r", "ok", 0},
		{"dir", "dr", "ok", 0},
		{"dir", "drm", "ok", 0},
		{"dir", "w", "err(is-directory)", 0},
		{"dir", "cd", "err(invalid)", 0},
		{"new", "cw", "ok", 0},
		{"new", "w", "err(no-entry)", 0},
		{"file", "cxw", "err(exist)", 0},
		{"file", "tw", "ok", 0},
	})
	needs.Links(t, func(t *testing.T) {
		checkOpenAt(t, []openAtTest{{"link", "r", "err(loop)", 0}, {"link", "r", "ok", 1}})
	})
}

type openAtTest struct {
	path, how, want string
	follow          int
}

func checkOpenAt(t *testing.T, tests []openAtTest) {
	for _, test := range tests {
		t.Run(test.path+" "+test.how, func(t *testing.T) {
			c, root := newFiles(t, fileTree(t), hostfs.ReadWrite)
			got := c.call(descriptorMethod+"open-at",
				openArgs(root, test.follow, test.path, test.how)...)
			if !strings.HasPrefix(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestReadOnlyDirectory tries to change files of a directory that is read-only.
func TestReadOnlyDirectory(t *testing.T) {
	c, root := newFiles(t, fileTree(t), hostfs.ReadOnly)
	c.wants("ok({read})", descriptorMethod+"get-flags", root)
	dir := c.open(root, "dir", "r")
	for _, how := range []string{"w", "cr", "tr", "m", "cxw"} {
		c.wants("err(read-only)", descriptorMethod+"open-at", openArgs(dir, 0, "inner", how)...)
	}
	for name, args := range map[string][]any{
		"create-directory-at": {dir, "x"},
		"remove-directory-at": {root, "empty"},
		"unlink-file-at":      {dir, "inner"},
		"symlink-at":          {dir, "inner", "x"},
		"rename-at":           {dir, "inner", dir, "x"},
		"link-at":             {dir, 0, "inner", dir, "x"},
		"set-times-at":        {dir, 0, "inner", 1, 0, 0, 1, 0, 0},
	} {
		c.wants("err(read-only)", descriptorMethod+name, args...)
	}
	file := c.open(dir, "inner", "r")
	c.wants("err(bad-descriptor)", descriptorMethod+"write-via-stream", file, 0)
	c.wants("err(bad-descriptor)", descriptorMethod+"append-via-stream", file)
	c.wants("err(not-permitted)", descriptorMethod+"write", file, "x", 0)
	c.wants("err(not-permitted)", descriptorMethod+"set-size", file, 0)
	c.wants("err(read-only)", descriptorMethod+"set-times", file, 1, 0, 0, 1, 0, 0)
	c.wants("ok", descriptorMethod+"sync", file)
	c.wants("ok", descriptorMethod+"sync-data", file)
	c.wants("ok", descriptorMethod+"sync", dir)
	c.wants("ok", descriptorMethod+"sync-data", dir)
}

// TestFile reads, writes and changes a file by its descriptor.
func TestFile(t *testing.T) {
	dir := fileTree(t)
	c, root := newFiles(t, dir, hostfs.ReadWrite)
	c.wants("ok({read, write, mutate-directory})", descriptorMethod+"get-flags", root)
	c.wants("ok(directory)", descriptorMethod+"get-type", root)
	file := c.open(root, "file", "rw")
	c.wants("ok({read, write})", descriptorMethod+"get-flags", file)
	c.wants("ok(regular-file)", descriptorMethod+"get-type", file)
	c.wants(`ok(("hello", false))`, descriptorMethod+"read", file, uint64(1<<40), 0)
	c.wants(`ok(("l", false))`, descriptorMethod+"read", file, 1, 3)
	c.wants(`ok(("", false))`, descriptorMethod+"read", file, 0, 5)
	c.wants(`ok(("", true))`, descriptorMethod+"read", file, 9, 5)
	c.wants(`err(invalid)`, descriptorMethod+"read", file, 9, uint64(1<<63))
	c.wants(`ok(3)`, descriptorMethod+"write", file, "abc", 4)
	c.wants(`ok(("hellabc", false))`, descriptorMethod+"read", file, 9, 0)
	c.wants(`ok`, descriptorMethod+"set-size", file, 2)
	c.wants(`err(file-too-large)`, descriptorMethod+"set-size", file, uint64(1<<63))
	c.wants(`ok`, descriptorMethod+"advise", file, 0, 0, 2)
	c.wants(`ok`, descriptorMethod+"sync", file)
	c.wants(`ok`, descriptorMethod+"sync-data", file)
	c.wants(`ok`, descriptorMethod+"sync", root)
	c.wants(`ok`, descriptorMethod+"sync-data", root)
	// 500 ns, as Windows has units of 100 ns, after 2,100,000,000 s, since Linux keeps an access
	// time in the future (mount(8), relatime) when a file is read, as Wine does to open it; then
	// unchanged.
	c.wants(`ok`, descriptorMethod+"set-times", file, 2, 2_100_000_000, 500, 0, 0, 0)
	c.wants(`ok`, descriptorMethod+"set-times", file, 0, 0, 0, 2, 2_000_000, 600)
	stat := c.call(descriptorMethod+"stat", file)
	want := "ok((regular-file, 1, 2, some((2100000000, 500)), some((2000000, 600)), some(("
	if !strings.HasPrefix(stat, want) {
		t.Errorf("got %s, want %s…", stat, want)
	}
	c.wants(stat, descriptorMethod+"stat-at", root, 0, "file")
	c.wants(`ok`, descriptorMethod+"set-times-at", root, 1, "file", 2, 7, 0, 1, 0, 0)
	if stat := c.call(descriptorMethod+"stat", file); !strings.Contains(stat, "some((7, 0))") {
		t.Errorf("got %s, want the new time", stat)
	}
	needs.Links(t, func(t *testing.T) {
		c.TB = t
		c.wants(`ok`, descriptorMethod+"set-times-at", root, 1, "link", 2, 8, 0, 1, 0, 0)
		stat := c.call(descriptorMethod+"stat", file)
		if !strings.Contains(stat, "some((8, 0))") {
			t.Errorf("got %s, want the new time", stat)
		}
		c.wants(stat, descriptorMethod+"stat-at", root, 1, "link")
	})
	c.TB = t
	c.wants(`err(invalid)`, descriptorMethod+"set-times", file, 2, 0, 1_000_000_000, 0, 0, 0)
	c.wants(`err(overflow)`, descriptorMethod+"set-times", file, 2, uint64(1<<63), 0, 0, 0, 0)

	// A directory is no file.
	c.wants(`err(bad-descriptor)`, descriptorMethod+"read", root, 1, 0)
	c.wants(`err(bad-descriptor)`, descriptorMethod+"write", root, "x", 0)
	c.wants(`err(bad-descriptor)`, descriptorMethod+"read-via-stream", root, 0)
	c.wants(`err(bad-descriptor)`, descriptorMethod+"write-via-stream", root, 0)
	c.wants(`err(bad-descriptor)`, descriptorMethod+"append-via-stream", root)
	c.wants(`err(bad-descriptor)`, descriptorMethod+"advise", root, 0, 0, 0)
	c.wants(`err(is-directory)`, descriptorMethod+"set-size", root, 0)
	write := c.open(root, "file", "w")
	c.wants(`err(bad-descriptor)`, descriptorMethod+"read-via-stream", write, 0)
	c.wants(`err(not-permitted)`, descriptorMethod+"read", write, 1, 0)
}

// TestFileStreams reads and writes by streams, which outlive the descriptor.
func TestFileStreams(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		dir := fileTree(t)
		c, root := newFiles(t, dir, hostfs.ReadWrite)
		form(c)
		file := c.open(root, "file", "rw")
		in := c.handle(descriptorMethod+"read-via-stream", file, 1)
		again := c.handle(descriptorMethod+"read-via-stream", file, 3)
		out := c.handle(descriptorMethod+"write-via-stream", file, 2)
		end := c.handle(descriptorMethod+"append-via-stream", file)
		if err := c.drop("filesystem/types.descriptor", file); err != nil {
			t.Fatal(err)
		}
		c.wants(`ok("el")`, inStream+"read", in, 2)
		c.wants(`ok("lo")`, inStream+"blocking-read", again, 9)
		c.wants(`ok(65536)`, outStream+"check-write", out)
		c.wants(`ok`, outStream+"write", out, "LL")
		c.wants(`ok`, outStream+"blocking-write-and-flush", out, "O!")
		c.wants(`ok`, outStream+"blocking-write-and-flush", end, "end")
		c.wants(`ok`, outStream+"flush", end)
		for _, p := range []uint64{
			c.handle(inStream+"subscribe", in), c.handle(outStream+"subscribe", out),
		} {
			c.wants(`true`, "io/poll.[method]pollable.ready", p)
		}
		c.wants(`ok("LO!end")`, inStream+"read", in, 70000)
		c.wants(`err(closed)`, inStream+"read", in, 1)
		c.wants(`err(closed)`, inStream+"skip", in, 1)
		if got, _ := os.ReadFile(filepath.Join(dir, "file")); string(got) != "heLLO!end" {
			t.Errorf("got %q, want %q", got, "heLLO!end")
		}
		open := len(c.fds())
		for name, h := range map[string]uint64{"input-stream": in, "output-stream": out} {
			if err := c.drop("io/streams."+name, h); err != nil {
				t.Fatal(err)
			}
		}
		c.drop("io/streams.input-stream", again)
		c.drop("io/streams.output-stream", end)
		if now := len(c.fds()); now != open-1 {
			t.Errorf("got %d descriptors after the last stream, want %d", now, open-1)
		}
	})
}

// fds returns the open descriptors of the guest.
func (c *caller) fds() (list []int32) {
	for fd := range int32(100) {
		if _, err := c.Fdstat(fd); err == nil {
			list = append(list, fd)
		}
	}
	return list
}

// TestStreamErrorOfFile fails a write by the quota, and asks for its code.
func TestStreamErrorOfFile(t *testing.T) {
	d, err := hostfs.OpenRoot(t.TempDir(), hostfs.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, system.Config{
		Preopens: []system.Preopen{{Dir: d, Name: "/", Quota: 8 << 10}},
		Stdin:    failingReader{},
	})
	root := c.handle("filesystem/preopens.get-directories")
	out := c.handle(descriptorMethod+"write-via-stream", c.open(root, "new", "cw"), 0)
	c.wants(`ok(65536)`, outStream+"check-write", out)
	failed := c.handle0(outStream+"write", out, strings.Repeat("x", 16<<10))
	c.wants(`some(insufficient-space)`, "filesystem/types.filesystem-error-code", failed)
	c.wants(`"ENOSPC"`, "io/error.[method]error.to-debug-string", failed)
	c.wants(`err(closed)`, outStream+"check-write", out)
	other := c.handle0(inStream+"blocking-read", c.handle("cli/stdin.get-stdin"), 1)
	c.wants(`none`, "filesystem/types.filesystem-error-code", other)
}

// TestDirectory makes, lists, renames and removes names.
func TestDirectory(t *testing.T) {
	dir := fileTree(t)
	c, root := newFiles(t, dir, hostfs.ReadWrite)
	m := descriptorMethod
	c.wants(`ok`, m+"create-directory-at", root, "made")
	c.wants(`err(exist)`, m+"create-directory-at", root, "made")
	c.wants(`err(is-directory)`, m+"unlink-file-at", root, "made")
	c.wants(`err(not-directory)`, m+"remove-directory-at", root, "file")
	c.wants(`err(not-empty)`, m+"remove-directory-at", root, "dir")
	c.wants(`ok`, m+"remove-directory-at", root, "made")
	c.wants(`err(invalid)`, m+"readlink-at", root, "file")
	c.wants(`err(not-permitted)`, m+"symlink-at", root, "/etc", "x")
	c.wants(`ok`, m+"link-at", root, 0, "file", root, "hard")
	c.wants(`err(invalid)`, m+"link-at", root, 1, "file", root, "x")
	c.wants(`err(not-permitted)`, m+"link-at", root, 0, "dir", root, "x")
	c.wants(`err(exist)`, m+"link-at", root, 0, "file", root, "hard")
	sub := c.open(root, "dir", "r")
	c.wants(`ok`, m+"rename-at", root, "hard", sub, "moved")
	c.wants(`ok`, m+"unlink-file-at", sub, "moved")
	c.wants(`err(no-entry)`, m+"unlink-file-at", sub, "moved")
	c.wants(`err(not-directory)`, m+"read-directory", c.open(root, "file", "r"))

	c.listed(sub, `(directory, "sub")`, `(regular-file, "inner")`)
	needs.Links(t, func(t *testing.T) {
		c.TB = t
		c.wants(`ok("file")`, m+"readlink-at", root, "link")
		c.wants(`ok("../secret")`, m+"readlink-at", root, "out")
		c.wants(`err(not-permitted)`, m+"readlink-at", root, "absolute")
		c.wants(`ok`, m+"symlink-at", root, "dir/inner", "fresh")
		c.wants(`err(exist)`, m+"symlink-at", root, "file", "fresh")
		c.listed(root, `(directory, "dir")`, `(directory, "empty")`, `(regular-file, "file")`,
			`(symbolic-link, "link")`, `(symbolic-link, "out")`, `(symbolic-link, "absolute")`,
			`(symbolic-link, "loop")`, `(symbolic-link, "fresh")`)
	})
}

// listed wants entries of a directory, and no others.
func (c *caller) listed(dir uint64, want ...string) {
	c.Helper()
	const next = "filesystem/types.[method]directory-entry-stream.read-directory-entry"
	entries := c.handle(descriptorMethod+"read-directory", dir)
	var got []string
	for {
		text := c.call(next, entries)
		if text == "ok(none)" {
			break
		}
		got = append(got, strings.TrimSuffix(strings.TrimPrefix(text, "ok(some("), "))"))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		c.Errorf("got the entries %v, want %v", got, want)
	}
	c.wants(`ok(none)`, next, entries)
}

// TestManyEntries lists a directory of some thousand names by two streams at once.
func TestManyEntries(t *testing.T) {
	dir := t.TempDir()
	const names = 3000
	for i := range names {
		if err := os.WriteFile(filepath.Join(dir, strings.Repeat("n", i%200)+string(rune('a'+i%26))+
			strings.Repeat("m", i/200)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, root := newFiles(t, dir, hostfs.ReadOnly)
	const next = "filesystem/types.[method]directory-entry-stream.read-directory-entry"
	streams := []uint64{c.handle(descriptorMethod+"read-directory", root),
		c.handle(descriptorMethod+"read-directory", root)}
	seen := [2]map[string]bool{{}, {}}
	for range names {
		for i, s := range streams {
			seen[i][c.call(next, s)] = true
		}
	}
	for i, s := range streams {
		c.wants(`ok(none)`, next, s)
		if len(seen[i]) != names {
			t.Errorf("got %d names, want %d", len(seen[i]), names)
		}
	}
}

// TestNamesThatAreNotUTF8 meets such a name of the host in a listing and in a link.
func TestNamesThatAreNotUTF8(t *testing.T) {
	// Half of a surrogate pair, which a name of Windows can have too.
	const half = "\xed\xa0\x80"
	dir := t.TempDir()
	c, root := newFiles(t, dir, hostfs.ReadOnly)
	needs.Links(t, func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink("to"+half, link); err != nil {
			t.Fatal(err)
		}
		c, root := newFiles(t, filepath.Dir(link), hostfs.ReadOnly)
		c.wants(`err(illegal-byte-sequence)`, descriptorMethod+"readlink-at", root, "link")
	})
	if err := os.WriteFile(filepath.Join(dir, "name"+half), nil, 0o644); err != nil {
		t.Skip(err) // macOS and Wine refuse the name
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	const next = "filesystem/types.[method]directory-entry-stream.read-directory-entry"
	entries := c.handle(descriptorMethod+"read-directory", root)
	got := map[string]bool{}
	for range 3 {
		got[c.call(next, entries)] = true
	}
	for _, want := range []string{
		`err(illegal-byte-sequence)`, `ok(some((regular-file, "file")))`, `ok(none)`,
	} {
		if !got[want] {
			t.Errorf("got %v, want %s too", got, want)
		}
	}
}

// TestIdentity compares files by is-same-object and by their metadata hashes.
func TestIdentity(t *testing.T) {
	dir := fileTree(t)
	c, root := newFiles(t, dir, hostfs.ReadWrite)
	file, same := c.open(root, "file", "rw"), c.open(root, "dir/../file", "r")
	other := c.open(root, "dir/inner", "r")
	c.wants(`true`, descriptorMethod+"is-same-object", file, file)
	c.wants(`true`, descriptorMethod+"is-same-object", file, same)
	c.wants(`false`, descriptorMethod+"is-same-object", file, other)
	hash := c.call(descriptorMethod+"metadata-hash", file)
	c.wants(hash, descriptorMethod+"metadata-hash", same)
	c.wants(hash, descriptorMethod+"metadata-hash-at", root, 1, "file")
	needs.Links(t, func(t *testing.T) {
		c.TB = t
		c.wants(`true`, descriptorMethod+"is-same-object", file, c.open(root, "link", "r"))
		c.wants(hash, descriptorMethod+"metadata-hash-at", root, 1, "link")
	})
	c.TB = t
	if got := c.call(descriptorMethod+"metadata-hash", other); got == hash {
		t.Errorf("got %s for both files, want different hashes", got)
	}
	c.call(descriptorMethod+"set-size", file, 1)
	if got := c.call(descriptorMethod+"metadata-hash", same); got == hash {
		t.Errorf("got %s before and after a change, want different hashes", got)
	}
	another, root2 := newFiles(t, dir, hostfs.ReadOnly)
	if a, b := c.call(descriptorMethod+"metadata-hash", same), another.call(
		descriptorMethod+"metadata-hash", another.open(root2, "file", "r")); a == b {
		t.Errorf("got %s for two guests, want different hashes", a)
	}
}

// TestFileErrorCodes compares the code of each errno with the name of its case.
func TestFileErrorCodes(t *testing.T) {
	want := map[wasi.Errno]string{
		wasi.EACCES: "access", wasi.EAGAIN: "would-block", wasi.EALREADY: "already",
		wasi.EBADF: "bad-descriptor", wasi.EBUSY: "busy", wasi.EDEADLK: "deadlock",
		wasi.EDQUOT: "quota", wasi.EEXIST: "exist", wasi.EFBIG: "file-too-large",
		wasi.EILSEQ: "illegal-byte-sequence", wasi.EINPROGRESS: "in-progress",
		wasi.EINTR: "interrupted", wasi.EINVAL: "invalid", wasi.EIO: "io",
		wasi.EISDIR: "is-directory", wasi.ELOOP: "loop", wasi.EMLINK: "too-many-links",
		wasi.EMSGSIZE: "message-size", wasi.ENAMETOOLONG: "name-too-long",
		wasi.ENODEV: "no-device", wasi.ENOENT: "no-entry", wasi.ENOLCK: "no-lock",
		wasi.ENOMEM: "insufficient-memory", wasi.ENOSPC: "insufficient-space",
		wasi.ENOTDIR: "not-directory", wasi.ENOTEMPTY: "not-empty",
		wasi.ENOTRECOVERABLE: "not-recoverable", wasi.ENOTSUP: "unsupported",
		wasi.ENOSYS: "unsupported", wasi.ENOTTY: "no-tty", wasi.ENXIO: "no-such-device",
		wasi.EOVERFLOW: "overflow", wasi.EPERM: "not-permitted",
		wasi.ENOTCAPABLE: "not-permitted", wasi.EPIPE: "pipe", wasi.EROFS: "read-only",
		wasi.ESPIPE: "invalid-seek", wasi.ETXTBSY: "text-file-busy", wasi.EXDEV: "cross-device",
	}
	codes, used := World{}.Type("wasi:filesystem/types", "error-code").Fields(), map[string]bool{}
	for e := wasi.E2BIG; e <= wasi.ENOTCAPABLE; e++ {
		name := want[e]
		if name == "" {
			name = "io"
		}
		if got := codes[fileCode(e)].Name; got != name {
			t.Errorf("%v: got %s, want %s", e, got, name)
		}
		used[name] = true
	}
	for _, code := range codes {
		if !used[code.Name] {
			t.Errorf("no errno is %s, want one", code.Name)
		}
	}
}

// TestDescriptorFlags reads the flags of a file that was opened with each, and gives each advice.
func TestDescriptorFlags(t *testing.T) {
	c, root := newFiles(t, fileTree(t), hostfs.ReadWrite)
	for flags, want := range map[int]string{
		1: "{read}", 2: "{write}", 3: "{read, write}",
		1 | 4:     "{read, file-integrity-sync}",
		2 | 8:     "{write, data-integrity-sync}",
		2 | 4 | 8: "{write, file-integrity-sync, data-integrity-sync}",
		3 | 16:    "{read, write, requested-write-sync}",
	} {
		file := c.handle(descriptorMethod+"open-at", root, 0, "file", 0, flags)
		c.wants("ok("+want+")", descriptorMethod+"get-flags", file)
	}
	file := c.open(root, "file", "r")
	for advice := range 6 {
		c.wants(`ok`, descriptorMethod+"advise", file, 0, 5, advice)
	}
	c.wants("ok({read, mutate-directory})", descriptorMethod+"get-flags", c.open(root, "dir", "r"))
}

// TestPreopensAreNewHandles gets the directories twice, drops all handles, and gets them again: the
// directories stay open.
func TestPreopensAreNewHandles(t *testing.T) {
	c, root := newFiles(t, fileTree(t), hostfs.ReadOnly)
	c.wants(`[(2, "/data")]`, "filesystem/preopens.get-directories")
	for _, h := range []uint64{root, 2} {
		c.wants("ok(directory)", descriptorMethod+"get-type", h)
		if err := c.drop("filesystem/types.descriptor", h); err != nil {
			t.Fatal(err)
		}
	}
	c.wants(`[(2, "/data")]`, "filesystem/preopens.get-directories")
	c.open(2, "file", "r")
}
