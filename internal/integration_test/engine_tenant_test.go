package integration_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport"
)

// moduleWithImport is a module with one import, and an empty _start.
func moduleWithImport(module, name string, kind ...byte) []byte {
	// types () -> () and (i32) -> ()
	wasm := []byte("\x00asm\x01\x00\x00\x00\x01\x08\x02\x60\x00\x00\x60\x01\x7f\x00")
	text := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	content := slices.Concat([]byte{1}, text(module), text(name), kind)
	wasm = append(append(wasm, 2, byte(len(content))), content...)
	start := byte(0) // index of _start
	if kind[0] == 0 {
		start = 1
	}
	wasm = append(wasm, 3, 2, 1, 0)
	wasm = append(append(wasm, 7, 10, 1), append(text("_start"), 0, start)...)
	return append(wasm, 10, 4, 1, 2, 0, 0x0b)
}

// tenantRuntime is an embedder's runtime with another tenant's module in it.
func tenantRuntime(t *testing.T) (wazero.Runtime, api.Module) {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx,
		wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2|
			experimental.CoreFeaturesThreads))
	t.Cleanup(func() { rt.Close(ctx) })
	wasm, err := os.ReadFile("testdata/tenant.wasm")
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName("tenant"))
	if err != nil {
		t.Fatal(err)
	}
	return rt, tenant
}

// TestImportFromTenantModule compiles modules that import something of another tenant's.
func TestImportFromTenantModule(t *testing.T) {
	const i32, funcref, mutable = 0x7f, 0x70, 1
	ctx := context.Background()
	rt, tenant := tenantRuntime(t)
	for _, test := range []struct {
		name string
		wasm []byte
		want wasport.Import
		may  bool // if the tenant's name is listed
	}{
		{"function", moduleWithImport("tenant", "transfer", 0, 1), wasport.Import{Want: "(i32)"},
			true},
		{"function of another type", moduleWithImport("tenant", "transfer", 0, 0),
			wasport.Import{Want: "()"}, false},
		{"function that is missing", moduleWithImport("tenant", "missing", 0, 0),
			wasport.Import{Want: "()"}, false},
		{"table", moduleWithImport("tenant", "t", 1, funcref, 0, 1), wasport.Import{Want: "table"},
			false},
		{"memory", moduleWithImport("tenant", "memory", 2, 0, 1), wasport.Import{Want: "memory"},
			false},
		{"memory under our name", moduleWithImport("wasi_snapshot_preview1", "memory", 2, 0, 1),
			wasport.Import{Want: "memory"}, false},
		{"mutable global", moduleWithImport("tenant", "g", 3, i32, mutable),
			wasport.Import{Want: "global"},
			false},
		{"constant global", moduleWithImport("tenant", "g", 3, i32, 0),
			wasport.Import{Want: "global"},
			false},
	} {
		for _, listed := range []bool{false, true} {
			for _, plain := range []bool{false, true} {
				t.Run(test.name, func(t *testing.T) {
					c := wasport.RuntimeConfig{Wazero: rt, NoInterrupt: plain}
					if listed {
						c.HostModules = []string{"tenant"}
					}
					r, err := wasport.NewRuntime(ctx, c)
					if err != nil {
						t.Fatal(err)
					}
					defer r.Close(ctx)
					m, err := r.Compile(ctx, test.wasm, wasport.CompileConfig{})
					if err == nil {
						_, err = m.Run(ctx, wasport.Config{})
						m.Close(ctx)
					}
					if listed && test.may {
						if err != nil {
							t.Errorf("listed: got %v, want no error", err)
						}
						return
					}
					var lacking *wasport.ImportError
					if !errors.As(err, &lacking) || len(lacking.Imports) != 1 ||
						lacking.Imports[0].Want != test.want.Want {
						t.Fatalf("listed %v: got %v, want an ImportError for a %s", listed, err,
							test.want.Want)
					}
					m, err = r.Compile(ctx, test.wasm,
						wasport.CompileConfig{TrapUnknownImports: true})
					if err != nil {
						return // it is not valid without rewriting
					}
					defer m.Close(ctx)
					if _, err := m.Run(ctx, wasport.Config{}); !lacking.Imports[0].IsFunction() &&
						!errors.As(err, &lacking) {
						t.Errorf("with functions that trap: got %v, want an ImportError", err)
					}
				})
			}
		}
	}
	if b, _ := tenant.Memory().Read(0, 4); !slices.Equal(b, make([]byte, 4)) {
		t.Errorf("the tenant's memory: got %v, want it unchanged", b)
	}
}

// TestListedModuleIsCalled calls a function of a module that the embedder has listed.
func TestListedModuleIsCalled(t *testing.T) {
	ctx := context.Background()
	rt, tenant := tenantRuntime(t)
	r, err := wasport.NewRuntime(ctx,
		wasport.RuntimeConfig{Wazero: rt, HostModules: []string{"tenant"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	wasm, err := os.ReadFile("testdata/customer.wasm")
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(ctx)
	if _, err := m.Run(ctx, wasport.Config{}); err != nil {
		t.Fatal(err)
	}
	if n, _ := tenant.Memory().ReadUint32Le(0); n != 666 {
		t.Errorf("what the function was called with: got %d, want 666", n)
	}
}

// TestSharedMemoryIsTheGuestsOwn gives guests that import a shared memory under a tenant's name one
// of their own.
func TestSharedMemoryIsTheGuestsOwn(t *testing.T) {
	ctx := context.Background()
	rt, tenant := tenantRuntime(t)
	for _, listed := range [][]string{nil, {"tenant"}} {
		r, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{Wazero: rt, HostModules: listed})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close(ctx)
		m, err := r.Compile(ctx, moduleWithImport("tenant", "memory", 2, 3, 1, 1),
			wasport.CompileConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Run(ctx, wasport.Config{}); err != nil {
			t.Errorf("listed %q: got %v, want no error", listed, err)
		}
		m.Close(ctx)
	}
	if b, _ := tenant.Memory().Read(64, 6); string(b) != "SECRET" {
		t.Errorf("the tenant's memory: got %q, want it unchanged", b)
	}
}
