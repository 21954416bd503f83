//go:build unix

package codecache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestNoFilesLeftAfterCompiling opens a cache beside another with the same key. The one that has
// the private directory to itself leaves that, with the spare file and the lock, and the other
// leaves nothing.
func TestNoFilesLeftAfterCompiling(t *testing.T) {
	dir, keyDir := t.TempDir(), t.TempDir()
	kept := filepath.Join(keyDir, keptDir)
	for _, round := range []string{"new", "known"} {
		var caches []*Cache
		for range 2 {
			c, err := Open(dir, filepath.Join(keyDir, "key"))
			if err != nil {
				t.Fatal(err)
			}
			caches = append(caches, c)
		}
		if caches[0].privateDir != kept || caches[1].privateDir == kept {
			t.Errorf("%s: got %s and %s, want one in %s", round, caches[0].privateDir,
				caches[1].privateDir, kept)
		}
		for i, want := range [][]string{{filepath.Join(caches[0].versionPath(), spareName)}, nil} {
			compileFile(t, caches[i], "module", "abcd", "code")
			for range 2 { // The first makes the spare file, the second uses it.
				compileFile(t, caches[i], "module", "abcd", "code")
				if got := entries(t, caches[i].versionPath()); !slices.Equal(got, want) {
					t.Errorf("%s: got %v between two modules, want %v", round, got, want)
				}
			}
		}
		for _, c := range caches {
			c.Wazero.Close(context.Background())
			c.Close()
		}
		want := []string{kept, kept + ".lock", filepath.Join(keyDir, "key")}
		if got := entries(t, keyDir); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", round, got, want)
		}
	}
}

// TestSpareFileHoldsOneCode restores machine code that is shorter than that before it, after a
// process that left more files.
func TestSpareFileHoldsOneCode(t *testing.T) {
	dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	modules := []struct{ name, file, code string }{
		{"long", "abcd", "a longer code"}, {"short", "ef01", "code"}, {"long", "abcd", ""},
	}
	c := openCache(t, dir, keyFile)
	for _, m := range modules[:2] {
		compileFile(t, c, m.name, m.file, m.code)
	}
	version := c.versionPath()
	c.Close()
	for _, name := range []string{"ef01", "half.tmp", "0123"} {
		if err := os.WriteFile(filepath.Join(version, name), []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c = openCache(t, dir, keyFile)
	if got := entries(t, version); len(got) != 0 {
		t.Errorf("got %v from a process before, want nothing", got)
	}
	modules[2].code = modules[0].code
	for i, m := range modules {
		if was := compileFile(t, c, m.name, m.file, ""); was != m.code {
			t.Errorf("module %d: got %q to run, want %q", i, was, m.code)
		}
	}
}

// TestKeptDirOfOthersIsNotUsed opens caches beside a directory of that name that others may write
// to, a link, and one with a directory of another version of wazero.
func TestKeptDirOfOthersIsNotUsed(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(path string) error
		used bool
	}{
		{"open to others", func(path string) error {
			if err := os.Mkdir(path, 0o700); err != nil {
				return err
			}
			return os.Chmod(path, 0o777)
		}, false},
		{"a link", func(path string) error {
			if err := os.Mkdir(path+"2", 0o700); err != nil {
				return err
			}
			return os.Symlink(path+"2", path)
		}, false},
		{"of another version", func(path string) error {
			return os.MkdirAll(filepath.Join(path, "wazero-v0"), 0o700)
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), keptDir)
			if err := test.make(path); err != nil {
				t.Fatal(err)
			}
			c := openCache(t, t.TempDir(), filepath.Join(filepath.Dir(path), "key"))
			if used := c.privateDir == path; used != test.used {
				t.Errorf("got it used: %v, want %v", used, test.used)
			}
			compileFile(t, c, "module", "abcd", "code")
			if was := compileFile(t, c, "module", "abcd", ""); was != "code" {
				t.Errorf("got %q to run, want the code", was)
			}
		})
	}
}

// TestUnsafeKeptDirIsNotUsed has a file that nothing verified in the directory that stays, which
// wazero would run, or no directory in its place.
func TestUnsafeKeptDirIsNotUsed(t *testing.T) {
	for _, test := range []struct {
		name  string
		plant func(kept, version string) error
	}{
		{"open to others", func(_, version string) error {
			return errors.Join(os.WriteFile(filepath.Join(version, "abcd"), []byte("evil"), 0o600),
				os.Chmod(version, 0o755))
		}},
		{"cannot be emptied", func(_, version string) error {
			return errors.Join(os.WriteFile(filepath.Join(version, "abcd"), []byte("evil"), 0o600),
				os.Chmod(version, 0o500)) // Root empties it.
		}},
		{"other version that cannot be removed", func(kept, _ string) error {
			inside := filepath.Join(kept, "other", "inside")
			return errors.Join(os.MkdirAll(filepath.Join(inside, "x"), 0o700),
				os.Chmod(inside, 0o500))
		}},
		{"a FIFO", func(kept, _ string) error {
			return errors.Join(os.RemoveAll(kept), syscall.Mkfifo(kept, 0o600))
		}},
		{"a FIFO to lock", func(kept, _ string) error {
			lock := kept + ".lock"
			return errors.Join(os.Remove(lock), syscall.Mkfifo(lock, 0o600))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
			c := openCache(t, dir, keyFile)
			compileFile(t, c, "module", "abcd", "code")
			kept, version := c.privateDir, c.versionPath()
			c.Close()
			if err := test.plant(kept, version); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				os.Chmod(version, 0o700)
				os.Chmod(filepath.Join(kept, "other", "inside"), 0o700)
			})
			c = openCache(t, dir, keyFile)
			if was := compileFile(t, c, "module", "abcd", "new code"); was != "code" {
				t.Errorf("got %q where wazero looks, want the verified code", was)
			}
		})
	}
}
