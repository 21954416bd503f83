package engine

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/wasport/wasport/internal/engine/interrupt"
	testguests "github.com/wasport/wasport/internal/guests"
)

// TestCachedModuleIsAsRewritten compares a module that an engine takes from the cache with the one
// that another engine has put there.
func TestCachedModuleIsAsRewritten(t *testing.T) {
	wasm, err := testguests.FS.ReadFile("trap.wasm")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	c := Config{CacheDir: t.TempDir(), CacheKeyFile: filepath.Join(t.TempDir(), "key")}
	want, _, err := interrupt.Rewrite(wasm, interrupt.Options{Interval: 7, Stack: 4096})
	if err != nil {
		t.Fatal(err)
	}
	var needs interrupt.Needs
	for i := range 3 {
		e, err := New(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close(ctx)
		core, err := e.compileCached(ctx, wasm, &interrupt.Options{Interval: 7, Stack: 4096})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			needs = core.needs
		}
		if !bytes.Equal(core.binary, want) || core.needs != needs || needs.Memory.Max == 0 {
			t.Errorf("engine %d: got %d bytes with needs %+v, want %d bytes with %+v", i,
				len(core.binary), core.needs, len(want), needs)
		}
		core.Close(ctx)
	}
}

// TestRecipeTellsOptions changes each option that a rewritten module depends on.
func TestRecipeTellsOptions(t *testing.T) {
	ctx := context.Background()
	plain, err := New(ctx, Config{Interpreter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close(ctx)
	// This embedder supplies a module in which wasport has functions of several types.
	other := &Engine{embedderModules: map[string]map[string]*HostFunction{
		"wasi_snapshot_preview1": nil}}
	overloaded := func(string, string) bool { return false }
	seen := make(map[string]int)
	for i, test := range []struct {
		engine  *Engine
		options *interrupt.Options
	}{
		{plain, nil},
		{plain, &interrupt.Options{}},
		{plain, &interrupt.Options{Interval: 3}},
		{plain, &interrupt.Options{Stack: 3}},
		{plain, &interrupt.Options{Charge: true}},
		{plain, &interrupt.Options{Atomics: true}},
		{plain, &interrupt.Options{Lines: "1"}},
		{plain, &interrupt.Options{Name: "1"}},
		{plain, &interrupt.Options{Overloaded: overloaded}},
		{other, &interrupt.Options{Overloaded: overloaded}},
	} {
		recipe := test.engine.recipe(test.options)
		if first, ok := seen[recipe]; ok {
			t.Errorf("options %d and %d: got one recipe, want two", first, i)
		}
		if seen[recipe] = i; recipe != test.engine.recipe(test.options) {
			t.Errorf("options %d: got two recipes, want one", i)
		}
	}
}
