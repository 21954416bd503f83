//go:build amd64 || arm64

package interrupt

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"testing"

	"github.com/tetratelabs/wazero"
)

// machineCode returns the file that wazero caches a compiled module in.
func machineCode(t *testing.T, wasm []byte) []byte {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close(ctx)
	rt := wazero.NewRuntimeWithConfig(ctx,
		wazero.NewRuntimeConfigCompiler().WithCompilationCache(cache))
	defer rt.Close(ctx)
	if _, err := rt.CompileModule(ctx, wasm); err != nil {
		t.Fatal(err)
	}
	var files [][]byte
	root := os.DirFS(dir)
	err = fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var b []byte
			b, err = fs.ReadFile(root, path)
			files = append(files, b)
		}
		return err
	})
	if err != nil || len(files) != 1 {
		t.Fatalf("got %d cached files, %v; want 1", len(files), err)
	}
	return files[0]
}

// TestRenewalsAreCompiled compares functions that return their argument, renewed and as it is. The
// machine code has to differ: if wazero folded the renewal, the loop would store its values in each
// iteration (see renew.go). An instruction that wazero does fold shows that the test would fail.
func TestRenewalsAreCompiled(t *testing.T) {
	for _, typ := range []struct {
		name      string
		valueType byte
		folded    []byte
	}{
		{"i", typeI32, []byte{opI32Const, 0, 0x74 /* i32.shl */}},
		{"l", typeI64, []byte{opI64Const, 0, opI64Shl}},
		{"f", typeF32, []byte{0x01}},
		{"d", typeF64, []byte{0x01}},
	} {
		t.Run(typ.name, func(t *testing.T) {
			function := func(code ...byte) []byte {
				return machineCode(t, one(typ.name, typ.name,
					append([]byte{opLocalGet, 0}, code...)...))
			}
			asItIs := function()
			if got := function(typ.folded...); !bytes.Equal(got, asItIs) {
				t.Errorf("%x: got other machine code than without, want the same", typ.folded)
			}
			code := renewal(typ.valueType)
			if got := function(code...); bytes.Equal(got, asItIs) {
				t.Errorf("%x: got the same machine code as without, want other", code)
			}
		})
	}
}
