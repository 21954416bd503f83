//go:build amd64 || arm64

package engine

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/engine/interrupt"
)

// throwing is a module with a function f, which sets a local variable to 1 and, in a try_table, to
// 0. It calls a function that throws, catches, and returns the variable: 0 (WebAssembly 3.0,
// section 4.6.8).
func throwing() []byte {
	const (
		i32                                           = 0x7f
		void                                          = 0x40
		constant, set, get, call, end                 = 0x41, 0x21, 0x20, 0x10, 0x0b
		block, tryTable, catchAll, throw, unreachable = 0x02, 0x1f, 0x02, 0x08, 0x00
	)
	section := func(id byte, content ...byte) []byte {
		return append([]byte{id, byte(len(content))}, content...)
	}
	f := []byte{1, 1, i32, constant, 1, set, 0, block, void, tryTable, void, 1, catchAll, 0,
		constant, 0, set, 0, call, 0, end, unreachable, end, get, 0, end}
	code := append([]byte{2, 4, 0, throw, 0, end, byte(len(f))}, f...)
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, 2, 0x60, 0, 0, 0x60, 0, 1, i32),
		section(3, 2, 0, 1),
		section(13, 1, 0, 0),
		section(7, 1, 1, 'f', 0, 1),
		section(10, code...))
}

// TestExceptionsAreRefused shows why: the engine loses the write of a local variable. Once it does
// not, exceptions may be offered if references to them are safe, too (docs/c/porting.md).
func TestExceptionsAreRefused(t *testing.T) {
	_, _, err := interrupt.Rewrite(throwing(), interrupt.Options{})
	if !errors.Is(err, interrupt.ErrUnsupported) {
		t.Errorf("Rewrite: got %v, want %v", err, interrupt.ErrUnsupported)
	}
	ctx := context.Background()
	for name, c := range map[string]struct {
		config wazero.RuntimeConfig
		want   uint64
	}{
		"interpreter": {wazero.NewRuntimeConfigInterpreter(), 0},
		"compiler":    {wazero.NewRuntimeConfigCompiler(), 1},
	} {
		rt := wazero.NewRuntimeWithConfig(ctx, c.config.WithCoreFeatures(
			api.CoreFeaturesV2|experimental.CoreFeaturesExceptionHandling))
		defer rt.Close(ctx)
		mod, err := rt.Instantiate(ctx, throwing())
		if err != nil {
			t.Fatal(err)
		}
		got, err := mod.ExportedFunction("f").Call(ctx)
		if err != nil || got[0] != c.want {
			t.Errorf("%s: got %d, %v, want %d", name, got, err, c.want)
		}
	}
}
