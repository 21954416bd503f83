package integration_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport"
)

// panickingRuntime is a wazero runtime that panics when it compiles a module.
type panickingRuntime struct{ wazero.Runtime }

func (panickingRuntime) CompileModule(context.Context, []byte) (wazero.CompiledModule, error) {
	panic("a bug\nof two lines")
}

// TestPanicOfCompiler has the compiler panic, on the calling goroutine and on another.
func TestPanicOfCompiler(t *testing.T) {
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	r, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{Wazero: panickingRuntime{rt}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	cancellable, cancel := context.WithCancel(ctx)
	defer cancel()
	for name, ctx := range map[string]context.Context{"caller": ctx, "another": cancellable} {
		t.Run(name, func(t *testing.T) {
			_, err := r.Compile(ctx, testdata(t, "nothing"), wasport.CompileConfig{})
			var p *wasport.CompilerPanic
			if !errors.As(err, &p) || !strings.Contains(p.Stack, "compiler_panic_test.go") ||
				strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "a bug") {
				t.Errorf("got %v, want a CompilerPanic in one line", err)
			}
		})
	}
}
