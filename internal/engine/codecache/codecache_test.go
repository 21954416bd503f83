package codecache

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// openCache opens a cache and closes it after the test.
func openCache(t *testing.T, dir, keyFile string) *Cache {
	t.Helper()
	c, err := Open(dir, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Wazero.Close(context.Background())
		c.Close()
	})
	return c
}

// compileFile compiles a module with a stand-in for wazero, which writes a file with the given name
// and contents unless it exists. It returns the contents that existed.
func compileFile(t testing.TB, c *Cache, module, file, code string) (was string) {
	t.Helper()
	err := c.Compile(context.Background(), []byte(module), func() error {
		path := filepath.Join(c.privateDir, c.versionDir, file)
		b, err := os.ReadFile(path)
		if was = string(b); err == nil {
			return nil
		}
		return os.WriteFile(path, []byte(code), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return was
}

func entries(t *testing.T, dir string) (paths []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	return paths
}

func TestChangedEntryIsIgnored(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(t *testing.T, entry string)
		want   string // The contents that wazero finds.
	}{
		{"as it was", func(*testing.T, string) {}, "code"},
		{"a bit of the code", flip(-1), ""},
		{"a bit of the name", flip(macSize + 1), ""},
		{"a bit of the MAC", flip(0), ""},
		{"cut off", func(t *testing.T, entry string) { resize(t, entry, -1) }, ""},
		{"with more at its end", func(t *testing.T, entry string) { resize(t, entry, 1) }, ""},
		{"the MAC alone", func(t *testing.T, entry string) { truncate(t, entry, macSize) }, ""},
		{"empty", func(t *testing.T, entry string) { truncate(t, entry, 0) }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "sub", "key")
			compileFile(t, openCache(t, dir, keyFile), "module", "abcd", "code")
			paths := entries(t, dir)
			if len(paths) != 1 {
				t.Fatalf("got %d entries, want 1", len(paths))
			}
			test.change(t, paths[0])
			if was := compileFile(t, openCache(t, dir, keyFile), "module", "abcd",
				"code"); was != test.want {
				t.Errorf("got %q to run, want %q", was, test.want)
			}
			if was := compileFile(t, openCache(t, dir, keyFile), "module", "abcd",
				"code"); was != "code" {
				t.Errorf("got %q afterwards, want the newly compiled code", was)
			}
		})
	}
}

func flip(at int) func(*testing.T, string) {
	return func(t *testing.T, entry string) {
		b, err := os.ReadFile(entry)
		if err != nil {
			t.Fatal(err)
		}
		if at < 0 {
			at += len(b)
		}
		b[at] ^= 1
		if err := os.WriteFile(entry, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func resize(t *testing.T, path string, by int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	truncate(t, path, info.Size()+by)
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// TestEntryOfOtherModuleIsIgnored puts an authentic entry in the place of another.
func TestEntryOfOtherModuleIsIgnored(t *testing.T) {
	dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	c := openCache(t, dir, keyFile)
	compileFile(t, c, "evil", "abcd", "evil code")
	evil := entries(t, dir)[0]
	compileFile(t, c, "good", "abcd", "good code")
	for _, path := range entries(t, dir) {
		if path != evil {
			b, err := os.ReadFile(evil)
			if err == nil {
				err = os.WriteFile(path, b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if was := compileFile(t, c, "good", "abcd", "good code"); was != "" {
		t.Errorf("got %q to run, want nothing", was)
	}
}

func TestEntryOfOtherKeyIsIgnored(t *testing.T) {
	dir := t.TempDir()
	one := openCache(t, dir, filepath.Join(t.TempDir(), "key"))
	other := openCache(t, dir, filepath.Join(t.TempDir(), "key"))
	compileFile(t, one, "module", "abcd", "code")
	if was := compileFile(t, other, "module", "abcd", "code"); was != "" {
		t.Errorf("got %q to run, want nothing", was)
	}
}

func TestNoFilesLeftAfterCompiling(t *testing.T) {
	dir, keyDir := t.TempDir(), t.TempDir()
	c, err := Open(dir, filepath.Join(keyDir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	err = c.Compile(context.Background(), []byte("module"), func() error { return failed })
	if err != failed {
		t.Errorf("got %v, want the error of compiling", err)
	}
	compileFile(t, c, "module", "abcd", "code")
	compileFile(t, c, "module", "abcd", "code")
	if list := entries(t, filepath.Join(c.privateDir, c.versionDir)); len(list) > 0 {
		t.Errorf("got %v in the private directory, want nothing between two modules", list)
	}
	c.Wazero.Close(context.Background())
	c.Close()
	if list := entries(t, keyDir); len(list) != 1 {
		t.Errorf("got %v beside the key, want nothing", list)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.compileSlot <- struct{}{}
	if err := c.Compile(ctx, nil, nil); err != context.Canceled {
		t.Errorf("got %v, want the end of the context", err)
	}
}

func TestKeyCreatedConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	var keys [8][]byte
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			key, err := readKey(path)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
		})
	}
	all.Wait()
	for _, key := range keys {
		if len(key) != keySize || !bytes.Equal(key, keys[0]) {
			t.Fatalf("got keys %x and %x, want one", key, keys[0])
		}
	}
	if list := entries(t, filepath.Dir(path)); len(list) != 1 {
		t.Errorf("got %v, want the key alone", list)
	}
}

func TestKeyInsideCacheIsRefused(t *testing.T) {
	dir := t.TempDir()
	if c, err := Open(dir, filepath.Join(dir, "sub", "key")); err == nil {
		c.Close()
		t.Error("got a cache that holds its key, want an error")
	}
}

func TestCompileWithoutRoomToStore(t *testing.T) {
	dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	c := openCache(t, dir, keyFile)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	compileFile(t, c, "module", "abcd", "code")
	if list := entries(t, c.versionPath()); len(list) > 0 {
		t.Errorf("got %v in the private directory, want nothing", list)
	}
}

func TestCompileWithoutRoomToRestore(t *testing.T) {
	dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	c := openCache(t, dir, keyFile)
	compileFile(t, c, "module", "abcd", "code")
	if err := os.Remove(c.versionPath()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.versionPath(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	called := false
	err := c.Compile(context.Background(), []byte("module"), func() error {
		called = true
		return nil
	})
	if !called || err != nil {
		t.Errorf("got %v, called: %v; want the module compiled", err, called)
	}
}

// TestHitDuringLongCompilation restores an entry while another module is compiled.
func TestHitDuringLongCompilation(t *testing.T) {
	dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	compileFile(t, openCache(t, dir, keyFile), "known", "abcd", "code")
	c := openCache(t, dir, keyFile)
	err := c.Compile(context.Background(), []byte("long"), func() error {
		// The calls within wait for nothing, or this test hangs.
		if was := compileFile(t, c, "known", "abcd", "new code"); was != "code" {
			t.Errorf("got %q, want the entry", was)
		}
		return c.Compile(context.Background(), []byte("known"), func() error {
			path := filepath.Join(c.versionPath(), "ef01")
			return os.WriteFile(path, []byte("long code"), 0o600)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	c = openCache(t, dir, keyFile)
	if was := compileFile(t, c, "long", "ef01", ""); was != "long code" {
		t.Errorf("got %q for the other module, want its own code", was)
	}
	if was := compileFile(t, c, "known", "abcd", ""); was != "code" {
		t.Errorf("got %q afterwards, want the entry", was)
	}
}

// TestSameModuleCompiledOnce calls Compile for one module from two goroutines, with an entry.
func TestSameModuleCompiledOnce(t *testing.T) {
	dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	c := openCache(t, dir, keyFile)
	compileFile(t, c, "module", "abcd", "code")
	var all sync.WaitGroup
	var inside atomic.Int32
	for range 8 {
		all.Go(func() {
			err := c.Compile(context.Background(), []byte("module"), func() error {
				if inside.Add(1) != 1 {
					t.Error("got two calls at once, want one after the other")
				}
				runtime.Gosched()
				inside.Add(-1)
				_, err := os.Stat(filepath.Join(c.versionPath(), "abcd"))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	err := c.Compile(context.Background(), []byte("module"), func() error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return c.Compile(ctx, []byte("module"), nil)
	})
	if err != context.Canceled {
		t.Errorf("got %v, want the end of the context", err)
	}
}
