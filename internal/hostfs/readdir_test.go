package hostfs

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

type entry struct {
	next, ino uint64
	typ       FileType
	name      string
}

// list reads up to n entries from a cookie on.
func list(t testing.TB, d Dir, cookie uint64, n int) (entries []entry) {
	t.Helper()
	err := d.ReadDir(cookie, func(e Entry) bool {
		if len(entries) == n {
			return false
		}
		entries = append(entries, entry{e.Next, e.Ino, e.Type, string(e.Name)})
		return true
	})
	if err != nil {
		t.Error(err)
	}
	return entries
}

func names(entries []entry) (names []string) {
	for _, e := range entries {
		names = append(names, e.name)
	}
	slices.Sort(names)
	return names
}

func TestReadDirEntries(t *testing.T) { needs.Links(t, checkEntries) }

func checkEntries(t *testing.T) {
	eachLister(t, func(t *testing.T, open func(string) *osDir) {
		dir := t.TempDir()
		d := open(dir)
		if got := names(list(t, d, 0, 10)); !slices.Equal(got, []string{".", ".."}) {
			t.Errorf("empty directory: got %q, want . and ..", got)
		}
		testutil.MakeTree(t, dir, "file", "sub/", "link -> none")
		want := map[string]FileType{".": Directory, "..": Directory, "file": RegularFile,
			"sub": Directory, "link": Symlink}
		if makeFIFO(t, filepath.Join(dir, "fifo")) {
			want["fifo"] = Pipe
		}
		all := list(t, d, 0, 10)
		if len(all) != len(want) {
			t.Errorf("got %d entries, want %d", len(all), len(want))
		}
		for _, e := range all {
			if e.typ != want[e.name] {
				t.Errorf("%q: got type %d, want %d", e.name, e.typ, want[e.name])
			}
			if e.name == ".." {
				continue
			}
			if st, err := d.Stat(e.name, false); err != nil || st.Ino != e.ino {
				t.Errorf("%q: got inode %d, want that of %+v, %v", e.name, e.ino, st, err)
			}
		}
		for i, e := range all {
			if rest := list(t, d, e.next, 10); !slices.Equal(rest, all[i+1:]) {
				t.Errorf("after %q: got %v, want %v", e.name, rest, all[i+1:])
			}
		}
	})
}

// An entry for which yield returned false comes again, even after other listings.
func TestReadDirRepeatsRefusedEntry(t *testing.T) {
	eachLister(t, func(t *testing.T, open func(string) *osDir) {
		dir := t.TempDir()
		for i := range 50 {
			testutil.MakeTree(t, dir, fmt.Sprint("file", i))
		}
		d := open(dir)
		all := list(t, d, 0, 100)
		var got []entry
		var cookie uint64
		for len(got) < len(all) {
			list(t, d, cookie, 0)
			list(t, d, cookie, 3)
			if len(got)%2 == 0 {
				list(t, d, 0, 2)
			}
			one := list(t, d, cookie, 1)
			if len(one) != 1 {
				t.Fatalf("after %d of %d: got %d entries, want 1", len(got), len(all), len(one))
			}
			got = append(got, one[0])
			cookie = one[0].next
		}
		if !slices.Equal(got, all) {
			t.Errorf("one at a time: got %v, want %v", got, all)
		}
		if rest := list(t, d, cookie, 10); len(rest) != 0 {
			t.Errorf("at the end: got %v, want no entry", rest)
		}
	})
}

// While the directory changes, entries that stay are listed once each.
func TestReadDirWhileDirectoryChanges(t *testing.T) {
	eachLister(t, func(t *testing.T, open func(string) *osDir) {
		dir := t.TempDir()
		const n = 1000
		for i := range n {
			testutil.MakeTree(t, dir, fmt.Sprint("file", i))
		}
		d := open(dir)
		seen := map[string]int{}
		gone := map[string]bool{}
		cookie := uint64(0)
		for round := 0; ; round++ {
			some := list(t, d, cookie, 7)
			if len(some) == 0 {
				break
			}
			for i, e := range some {
				seen[e.name]++
				cookie = e.next
				if i%3 == 0 && e.typ == RegularFile { // as rm -r does
					gone[e.name] = true
					if err := d.Unlink(e.name); err != nil {
						t.Fatal(err)
					}
				}
			}
			testutil.MakeTree(t, dir, fmt.Sprint("new", round))
			if round%10 == 0 { // another listing meanwhile
				list(t, d, 0, 20)
			}
		}
		for i := range n {
			if name := fmt.Sprint("file", i); seen[name] != 1 {
				t.Errorf("%q: got it %d times, want once", name, seen[name])
			}
		}
		after := names(list(t, d, 0, 10*n))
		for name := range gone {
			if _, found := slices.BinarySearch(after, name); found {
				t.Errorf("%q: got it after its removal, want it in no new listing", name)
			}
		}
	})
}

func TestReadDirConcurrently(t *testing.T) {
	eachLister(t, func(t *testing.T, open func(string) *osDir) {
		dir := t.TempDir()
		for i := range 300 {
			testutil.MakeTree(t, dir, fmt.Sprint("file", i))
		}
		d := open(dir)
		want := names(list(t, d, 0, 1000))
		var all sync.WaitGroup
		for step := 1; step <= 8; step++ {
			all.Go(func() {
				var got []entry
				for cookie := uint64(0); ; cookie = got[len(got)-1].next {
					some := list(t, d, cookie, step)
					if got = append(got, some...); len(some) == 0 {
						break
					}
				}
				if got := names(got); !slices.Equal(got, want) {
					t.Errorf("in steps of %d: %d entries, want %d", step, len(got), len(want))
				}
			})
		}
		all.Wait()
	})
}

func TestReadDirFromUnknownCookies(t *testing.T) {
	eachLister(t, func(t *testing.T, open func(string) *osDir) {
		dir := t.TempDir()
		testutil.MakeTree(t, dir, "file")
		d := open(dir)
		for _, cookie := range []uint64{1, 2, 3, 4, 1 << 31, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
			// The meaning of the cookie is up to the file system. The directory has 3 entries.
			var n int
			err := d.ReadDir(cookie, func(Entry) bool { n++; return n < 100 })
			if n > 3 || err != nil && err != syscall.EINVAL {
				t.Errorf("cookie %#x: got %d entries, %v; want at most 3", cookie, n, err)
			}
		}
	})
}
