package codecache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// compileWith compiles a module, whose preparation puts a word before it. compile is a stand-in for
// wazero.
func compileWith(ctx context.Context, c *Cache, module string, compile func() error) error {
	prepared := Prepared{Module: []byte("prepared " + module), Notes: []byte("notes of " + module)}
	return c.Compile(ctx, Source{Module: []byte(module)},
		func() (Prepared, error) { return prepared, nil },
		func(p Prepared) error {
			if !bytes.Equal(p.Module, prepared.Module) || !bytes.Equal(p.Notes, prepared.Notes) {
				return fmt.Errorf("got %q and %q, want what was prepared", p.Module, p.Notes)
			}
			return compile()
		})
}

// compileFile compiles a module with a stand-in for wazero, which writes a file with the given name
// and contents unless it exists. It returns the contents that existed.
func compileFile(t testing.TB, c *Cache, module, file, code string) (was string) {
	t.Helper()
	err := compileWith(context.Background(), c, module, func() error {
		path := filepath.Join(c.privateDir, c.versionDir, file)
		for _, other := range entries(t, c.versionPath()) {
			if other != path {
				t.Errorf("got %s in wazero's directory, want a file of the module alone", other)
			}
		}
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

func entries(t testing.TB, dir string) (paths []string) {
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
		{"a bit of the header", flip(macSize), ""},
		{"a far larger module", flip(macSize + 10), ""},
		{"a bit of the name", flip(macSize + headerSize), ""},
		{"a bit of the notes", flip(macSize + headerSize + 4), ""},
		{"a bit of the module", flip(macSize + headerSize + 4 + 15), ""},
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

// TestEntryIsOfSourceAndRecipe compiles a module with recipes with and without an entry.
func TestEntryIsOfSourceAndRecipe(t *testing.T) {
	dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	for i, test := range []struct {
		module, recipe string
		prepared       bool
	}{
		{"module", "recipe", true},
		{"module", "recipe", false},
		{"module", "recipe 2", true},
		{"emodule", "recip", true},
		{"module", "recipe", false},
	} {
		c := openCache(t, dir, keyFile)
		prepared := false
		err := c.Compile(context.Background(), Source{[]byte(test.module), test.recipe},
			func() (Prepared, error) {
				prepared = true
				return Prepared{Module: fmt.Append(nil, test.recipe, " of ", test.module)}, nil
			},
			func(p Prepared) error {
				if got, want := string(p.Module), test.recipe+" of "+test.module; got != want {
					t.Errorf("%d: got %q, want %q", i, got, want)
				}
				path := filepath.Join(c.versionPath(), "abcd")
				return os.WriteFile(path, []byte("code"), 0o600)
			})
		if err != nil || prepared != test.prepared {
			t.Errorf("%d: got %v, prepared: %v, want it prepared: %v", i, err, prepared,
				test.prepared)
		}
	}
}

// TestSourcesOfOneModuleAreCompiledOneByOne compiles a module within the compilation of the same
// module from another source. There are entries of both.
func TestSourcesOfOneModuleAreCompiledOneByOne(t *testing.T) {
	dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	prepare := func() (Prepared, error) { return Prepared{Module: []byte("module")}, nil }
	for _, recipe := range []string{"1", "2"} {
		c := openCache(t, dir, keyFile)
		err := c.Compile(context.Background(), Source{Recipe: recipe}, prepare,
			func(Prepared) error {
				path := filepath.Join(c.versionPath(), "abcd")
				return os.WriteFile(path, []byte("code"), 0o600)
			})
		if err != nil {
			t.Fatal(err)
		}
	}
	c := openCache(t, dir, keyFile)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	err := c.Compile(context.Background(), Source{Recipe: "1"}, prepare, func(Prepared) error {
		return c.Compile(ended, Source{Recipe: "2"}, prepare, func(Prepared) error {
			t.Error("got a second compilation, want it to wait for the first")
			return nil
		})
	})
	if err != context.Canceled {
		t.Errorf("got %v, want the end of the context", err)
	}
	failed := errors.New("failed")
	err = c.Compile(context.Background(), Source{Recipe: "3"},
		func() (Prepared, error) { return Prepared{}, failed }, nil)
	if err != failed {
		t.Errorf("got %v, want the error of the preparation", err)
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

func TestErrorsOfCompiling(t *testing.T) {
	c := openCache(t, t.TempDir(), filepath.Join(t.TempDir(), "key"))
	failed := errors.New("failed")
	err := compileWith(context.Background(), c, "module", func() error { return failed })
	if err != failed {
		t.Errorf("got %v, want the error of compiling", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.compileSlot <- struct{}{}
	if err := compileWith(ctx, c, "", nil); err != context.Canceled {
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
	err := compileWith(context.Background(), c, "module", func() error {
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
	err := compileWith(context.Background(), c, "long", func() error {
		// The calls within wait for nothing, or this test hangs.
		if was := compileFile(t, c, "known", "abcd", "new code"); was != "code" {
			t.Errorf("got %q, want the entry", was)
		}
		return compileWith(context.Background(), c, "known", func() error {
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
			err := compileWith(context.Background(), c, "module", func() error {
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
	err := compileWith(context.Background(), c, "module", func() error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return compileWith(ctx, c, "module", nil)
	})
	if err != context.Canceled {
		t.Errorf("got %v, want the end of the context", err)
	}
}
