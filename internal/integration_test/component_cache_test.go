//go:build amd64 || arm64

// Elsewhere wazero interprets, and nothing compiled is kept.

package integration_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasport/wasport"
)

// TestComponentCache compiles a component twice with a cache of compiled modules. The second time
// all of its core modules come from the cache.
func TestComponentCache(t *testing.T) {
	wasm, err := os.ReadFile("../guests/components/tcp_server.wasm")
	if err != nil {
		t.Fatal(err)
	}
	ctx, dir, key := context.Background(), t.TempDir(), filepath.Join(t.TempDir(), "key")
	count := func() int {
		rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{CacheDir: dir, CacheKeyFile: key})
		if err != nil {
			t.Fatal(err)
		}
		defer rt.Close(ctx)
		if _, err := rt.Compile(ctx, wasm, wasport.CompileConfig{}); err != nil {
			t.Fatal(err)
		}
		files := 0
		err = filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				files++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	first := count()
	if second := count(); first < 3 || second != first {
		t.Errorf("got %d files after the first and %d after the second time, want 3 core modules "+
			"and no more", first, second)
	}
}
