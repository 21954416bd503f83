package integration_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport"
)

// TestCacheDirIsRefusedToGuests configures guests with directories that would let them write to the
// cache of compiled modules or beside its key.
func TestCacheDirIsRefusedToGuests(t *testing.T) {
	ctx := context.Background()
	cache, keyDir := t.TempDir(), t.TempDir()
	r, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{
		CacheDir: cache, CacheKeyFile: filepath.Join(keyDir, "key"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	wasm, err := os.ReadFile("testdata/outside.wasm")
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		dir     wasport.Dir
		allowed bool
	}{
		{"elsewhere", wasport.Dir{Host: t.TempDir()}, true},
		{"cache", wasport.Dir{Host: cache}, false},
		{"cache, read-only", wasport.Dir{Host: cache, ReadOnly: true}, true},
		{"parent of cache", wasport.Dir{Host: filepath.Dir(cache)}, false},
		{"directory of key", wasport.Dir{Host: keyDir}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := m.Run(ctx, wasport.Config{Dirs: []wasport.Dir{test.dir}})
			const reason = "cache of compiled modules"
			if (err == nil) != test.allowed ||
				err != nil && !strings.Contains(err.Error(), reason) {
				t.Errorf("got %v, want it to start: %v", err, test.allowed)
			}
		})
	}
}

// TestCacheEntryWithChangedCode changes the machine code of a cache entry, which wazero alone would
// run.
func TestCacheEntryWithChangedCode(t *testing.T) {
	ctx := context.Background()
	cache, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	wasm, err := os.ReadFile("testdata/outside.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		r, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{
			CacheDir: cache, CacheKeyFile: keyFile, Interpreter: interpreted(),
		})
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Compile(ctx, wasm, wasport.CompileConfig{})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		_, err = m.Run(ctx, wasport.Config{Function: "write", Stdout: &out})
		if err != nil || out.String() != "hello\n" {
			t.Errorf(`round %d: got %q, %v, want "hello\n"`, round, out.String(), err)
		}
		if err := r.Close(ctx); err != nil {
			t.Error(err)
		}
		list, err := os.ReadDir(cache)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 && !interpreted() {
			t.Error("got an empty cache, want an entry")
		}
		for _, e := range list {
			path := filepath.Join(cache, e.Name())
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := len(b) / 2; i < len(b); i++ {
				b[i] = 0xcc // a breakpoint, on amd64
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
