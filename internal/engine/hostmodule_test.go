package engine

import (
	"context"
	"runtime"
	"testing"

	testguests "github.com/wasport/wasport/internal/guests"
	componentguests "github.com/wasport/wasport/internal/guests/components"
)

// TestCloseReleasesHostFunctions compiles and closes modules. An engine that keeps the functions of
// the host for each of them grows.
func TestCloseReleasesHostFunctions(t *testing.T) {
	const times, most = 100, 1 << 10
	module, err := testguests.FS.ReadFile("exit.wasm")
	if err != nil {
		t.Fatal(err)
	}
	component, err := componentguests.FS.ReadFile("exit.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for name, wasm := range map[string][]byte{"module": module, "component": component} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			e, err := New(ctx, Config{Interpreter: true})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close(ctx)
			compile := func(times int) (heap uint64) {
				for range times {
					p, err := e.Compile(ctx, wasm, CompileOptions{})
					if err != nil {
						t.Fatal(err)
					}
					if err := p.Close(ctx); err != nil {
						t.Fatal(err)
					}
				}
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			before := compile(10)
			after := compile(times)
			if after > before+times*most {
				t.Errorf("got %d more bytes for each, want at most %d", (after-before)/times, most)
			}
		})
	}
}
