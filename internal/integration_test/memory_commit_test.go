//go:build linux || windows

package integration_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/wasport/wasport"
)

// TestSharedMemoryIsCommittedAsItGrows starts a guest whose threads may share 1 GiB. It takes from
// the memory that the system may promise what the guest has grown to.
func TestSharedMemoryIsCommittedAsItGrows(t *testing.T) {
	const (
		maximum = 1 << 30
		grown   = 256 << 20
		noise   = 64 << 20 // of the test's own process
	)
	ctx := context.Background()
	r, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{HostFunctions: hostFunctions(
		func(context.Context, *wasport.Caller, uint64) uint64 { return 0 })})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	m, err := r.Compile(ctx, testdata(t, "instance_thread"), wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	before := commitCharge(t)
	i := newInstance(t, m, wasport.Config{MaxMemory: maximum})
	if id := mustCall(t, i, "start"); int32(id) <= 0 {
		t.Fatalf("got %d from thread-spawn, want an id", int32(id))
	}
	started := commitCharge(t) - before
	if mustCall(t, i, "grow", grown>>16); i.Memory().Size() != grown+1<<16 {
		t.Fatalf("got a memory of %d bytes, want %d", i.Memory().Size(), grown+1<<16)
	}
	after := commitCharge(t) - before
	t.Logf("committed: %d KiB at the start, %d KiB when grown", int64(started)>>10, after>>10)
	if int64(started) > noise {
		t.Errorf("got %d bytes committed at the start, want at most %d", started, noise)
	}
	if after < grown || after > grown+noise {
		t.Errorf("got %d bytes committed after the growth, want %d and at most %d more", after,
			grown, noise)
	}
	if err := i.Memory().Write(grown, []byte("last page")); err != nil {
		t.Error(err)
	}
}
