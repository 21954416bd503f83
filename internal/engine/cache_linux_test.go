package engine

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestCompileWithoutRoomForWazero has wazero fail to write the code that it has compiled, since its
// directory does not exist and cannot be made.
func TestCompileWithoutRoomForWazero(t *testing.T) {
	ctx := context.Background()
	keyDir := t.TempDir()
	e, err := New(ctx, Config{CacheDir: t.TempDir(), CacheKeyFile: filepath.Join(keyDir, "key")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	dirs, err := filepath.Glob(filepath.Join(keyDir, "*", "wazero-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("got %v and %v, want wazero's directory", dirs, err)
	}
	if err := os.Remove(dirs[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(keyDir, "none"), dirs[0]); err != nil {
		t.Fatal(err)
	}
	const sections = "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x04\x01\x02\x00\x0b"
	core, err := e.compileCached(ctx, slices.Concat(empty, []byte(sections)), nil)
	if err != nil {
		t.Fatal(err)
	}
	compiled := core.CompiledModule
	if _, err := e.runtime.InstantiateModule(ctx, compiled, anonymousConfig); err != nil {
		t.Errorf("got %v, want the module usable", err)
	}
	compiled.Close(ctx)
	if _, err := e.runtime.InstantiateModule(ctx, compiled, anonymousConfig); err == nil {
		t.Error("got the module usable after it was closed, want its code released")
	}
}
