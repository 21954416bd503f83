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

// TestHostModuleUnderNameOfImportedMemory runs a guest that imports its memory and an embedder's
// function from one module name. The host provides the memory, the embedder the function.
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
		// More than is committed ahead of what the guest asks for. The write faults unless all is.
		if pages, ok := m.Memory().Grow(40); ok && !m.Memory().WriteByte((pages+40)<<16-1, 1) {
			t.Errorf("got %d pages more, want to write to the last", 40)
		}
		return n
	}
	env := rt.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(hear).Export("hear")
	if _, err := env.Instantiate(ctx); err != nil {
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
			t.Errorf(`got calls %q and output %q, want both threads' calls and "heard 26\n"`, heard,
				out.String())
		}
	}
	if len(rt.Module("env").ExportedMemoryDefinitions()) != 0 {
		t.Error("got a memory in the embedder's module, want none")
	}

	// Without the embedder's function the module is refused, or gets one that traps.
	if _, err := shared.runtime.Compile(ctx, wasm, wasport.CompileConfig{}); err == nil ||
		!strings.Contains(err.Error(), "env.hear") {
		t.Errorf("got %v, want an error that names env.hear", err)
	}
	m, err = shared.runtime.Compile(ctx, wasm, wasport.CompileConfig{TrapUnknownImports: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(ctx, wasport.Config{}); err == nil ||
		!strings.Contains(err.Error(), "env.hear") {
		t.Errorf("got %v, want a trap that names env.hear", err)
	}
}

// TestAtomicWaitInSingleThread runs a guest that waits on its own shared memory, where no thread
// can wake it. It ends by its context.
func TestAtomicWaitInSingleThread(t *testing.T) {
	wasm := "\x00asm\x01\x00\x00\x00" +
		"\x01\x04\x01\x60\x00\x00" + // type: () -> ()
		"\x03\x02\x01\x00" + // one function
		"\x05\x04\x01\x03\x01\x02" + // a shared memory of 1 to 2 pages
		"\x07\x0a\x01\x06_start\x00\x00" +
		// memory.atomic.wait32 at 65532, with an offset of 4, after memory.grow: within the second
		// page
		"\x0a\x16\x01\x14\x00\x41\x01\x40\x00\x1a" +
		"\x41\xfc\xff\x03\x41\x00\x42\x7f\xfe\x01\x02\x04\x1a\x0b"
	m, err := shared.runtime.Compile(context.Background(), []byte(wasm), wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := m.Run(ctx, wasport.Config{}); err != context.DeadlineExceeded {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	if _, err := m.Run(context.Background(), wasport.Config{MaxMemory: 1 << 16}); err == nil ||
		err.Error() != "trap: out of bounds memory access" {
		t.Errorf("with one page: got %v, want an access out of bounds", err)
	}
}
