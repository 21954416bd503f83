package integration_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport"
	threadguests "github.com/wasport/wasport/internal/guests/threads"
)

// TestHostModuleUnderNameOfImportedMemory runs a guest that imports its memory from where an
// embedder's function comes from: the one is ours, the other theirs.
func TestHostModuleUnderNameOfImportedMemory(t *testing.T) {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx,
		wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2|
			experimental.CoreFeaturesThreads))
	defer rt.Close(ctx)
	var heard []string // the guest's threads call one after the other
	hear := func(_ context.Context, m api.Module, ptr, n uint32) uint32 {
		b, _ := m.Memory().Read(ptr, n)
		heard = append(heard, string(b))
		return n
	}
	if _, err := rt.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(hear).Export("hear").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := wasport.NewRuntime(ctx,
		wasport.RuntimeConfig{Wazero: rt, HostModules: []string{"env"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	wasm, err := threadguests.FS.ReadFile("host.wasm")
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, most := range []uint64{0, 1 << 20} {
		heard = nil
		out.Reset()
		if _, err := m.Run(ctx, wasport.Config{Stdout: &out, MaxMemory: most}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(heard, []string{"from the first", "from another"}) ||
			out.String() != "heard 26\n" {
			t.Errorf("heard %q, and the guest said %q", heard, out.String())
		}
	}
	if len(rt.Module("env").ExportedMemoryDefinitions()) != 0 {
		t.Error("the embedder's module has got a memory")
	}

	// Without the embedder's function the module is refused, or gets one that traps.
	if _, err := shared.runtime.Compile(ctx, wasm, wasport.CompileConfig{}); err == nil ||
		!strings.Contains(err.Error(), "env.hear") {
		t.Errorf("it compiles without env.hear: %v", err)
	}
	m, err = shared.runtime.Compile(ctx, wasm, wasport.CompileConfig{TrapUnknownImports: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(ctx, wasport.Config{}); err == nil ||
		!strings.Contains(err.Error(), "env.hear") {
		t.Errorf("it runs without env.hear: %v", err)
	}
}

// TestAtomicWaitInSingleThread lets a guest wait that has a shared memory of its own, and nobody to
// wake it: that ends like any other waiting.
func TestAtomicWaitInSingleThread(t *testing.T) {
	wasm := "\x00asm\x01\x00\x00\x00" +
		"\x01\x04\x01\x60\x00\x00" + // type: () -> ()
		"\x03\x02\x01\x00" + // one function
		"\x05\x04\x01\x03\x01\x02" + // a shared memory of 1 to 2 pages
		"\x07\x0a\x01\x06_start\x00\x00" +
		// memory.atomic.wait32 at 65532, with an offset of 4, after memory.grow: within the second
		// page
		"\x0a\x16\x01\x14\x00\x41\x01\x40\x00\x1a\x41\xfc\xff\x03\x41\x00\x42\x7f\xfe\x01\x02\x04\x1a\x0b"
	m, err := shared.runtime.Compile(context.Background(), []byte(wasm), wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := m.Run(ctx, wasport.Config{}); err != context.DeadlineExceeded {
		t.Errorf("it ended with %v", err)
	}
	if _, err := m.Run(context.Background(), wasport.Config{MaxMemory: 1 << 16}); err == nil ||
		err.Error() != "trap: out of bounds memory access" {
		t.Errorf("with one page it ended with %v", err)
	}
}
