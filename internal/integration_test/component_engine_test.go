package integration_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport"
	componentguests "github.com/wasport/wasport/internal/guests/components"
)

// TestComponentInRuntimes runs a component in each kind of runtime. Its core modules have names and
// imports of their own, which must not get into a runtime of the embedder's.
func TestComponentInRuntimes(t *testing.T) {
	ctx := context.Background()
	embedder := wazero.NewRuntime(ctx)
	defer embedder.Close(ctx)
	for _, test := range []struct {
		name   string
		config wasport.RuntimeConfig
	}{
		{"compiler", wasport.RuntimeConfig{}},
		{"interpreter", wasport.RuntimeConfig{Interpreter: true}},
		{"without interrupts", wasport.RuntimeConfig{NoInterrupt: true}},
		{"embedder's", wasport.RuntimeConfig{Wazero: embedder}},
	} {
		t.Run(test.name, func(t *testing.T) {
			rt, err := wasport.NewRuntime(ctx, test.config)
			if err != nil {
				t.Fatal(err)
			}
			defer rt.Close(ctx)
			wasm, err := componentguests.FS.ReadFile("args.wasm")
			if err != nil {
				t.Fatal(err)
			}
			m, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close(ctx)
			for range 2 {
				var out bytes.Buffer
				_, err := m.Run(ctx, wasport.Config{Args: []string{"args", "x"}, Stdout: &out})
				if got, want := out.String(), "args\nx\n"; got != want || err != nil {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
			}
		})
	}
	for _, name := range []string{"host", "0", "1", "2", "main"} {
		if embedder.Module(name) != nil {
			t.Errorf("got a module %s in the embedder's runtime, want none", name)
		}
	}
}

// TestComponentImportErrors compiles components whose imports the host does not have. The text of
// one is changed in the binary, for another of the same length.
func TestComponentImportErrors(t *testing.T) {
	for _, test := range []struct{ from, to, want string }{
		{"wasi:cli/exit@0.2.12", "wasi:cli/exit@0.3.12",
			"the host has version 0.2 of the interface"},
		{"wasi:cli/exit@0.2.12", "wasi:abc/exit@0.2.12", "the host has no such interface"},
		{"wasi:cli/exit@0.2.12", "wasi:http/foo@0.2.12",
			"wasi:http is not supported, see docs/components.md"},
		{"exit-with-code", "exit-with-cold", "the host has no such function in the interface"},
		{"status-code", "status-cold", "(status-cold: u8): here it is (status-code: u8)"},
	} {
		t.Run(test.to, func(t *testing.T) {
			wasm, err := componentguests.FS.ReadFile("exit_nested.wasm")
			if err != nil {
				t.Fatal(err)
			}
			wasm = bytes.ReplaceAll(wasm, []byte(test.from), []byte(test.to))
			ctx := context.Background()
			_, err = shared.runtime.Compile(ctx, wasm, wasport.CompileConfig{})
			missing := (*wasport.ImportError)(nil)
			if !errors.As(err, &missing) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an ImportError with %q", err, test.want)
			}
			m, err := shared.runtime.Compile(ctx, wasm,
				wasport.CompileConfig{TrapUnknownImports: true})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close(ctx)
			for _, i := range m.Imports() {
				if i.OK() || !i.IsFunction() {
					t.Errorf("got the import %v, want one that cannot be supplied", i)
				}
			}
			_, err = m.Run(ctx, wasport.Config{})
			trap := (*wasport.Trap)(nil)
			if want := "which the host does not have"; !errors.As(err, &trap) ||
				!strings.Contains(trap.Reason, want) {
				t.Errorf("got %v, want a trap with %q", err, want)
			}
		})
	}
}

// TestComponentFeatures compiles components with a core module that uses what is refused. The error
// names the core module, by its number since these have no names.
func TestComponentFeatures(t *testing.T) {
	for _, test := range []struct{ name, module, want string }{
		{"shared memory", "\x05\x04\x01\x03\x01\x02",
			"core module 0: a memory that threads share"},
		{"exceptions", "\x01\x04\x01\x60\x00\x00\x0d\x03\x01\x00\x00",
			"core module 0: the module uses a feature that is not supported: exceptions"},
		{"memory of 64 bits", "\x05\x04\x01\x05\x01\x02", "memories of 64 bits"},
	} {
		t.Run(test.name, func(t *testing.T) {
			module := "\x00asm\x01\x00\x00\x00" + test.module
			component := "\x00asm\x0d\x00\x01\x00\x01" + string(rune(len(module))) + module +
				"\x02\x04\x01\x00\x00\x00" // Its instance.
			_, err := shared.runtime.Compile(context.Background(), []byte(component),
				wasport.CompileConfig{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
