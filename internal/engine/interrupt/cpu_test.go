package interrupt

import (
	"context"
	_ "embed"
	"testing"

	"github.com/tetratelabs/wazero"
)

// cpuModule is compiled from testdata/cpu.c, which has the command.
//
//go:embed testdata/cpu.wasm
var cpuModule []byte

// rounds are arguments of the functions of cpuModule with which each runs for 1 to 10 ms.
var rounds = map[string]uint64{
	"sha256": 10, "crc32": 5, "bytesum": 50, "matrix": 10, "fib": 50, "quicksort": 4, "calls": 30,
}

func TestResultsAfterRewriting(t *testing.T) {
	ctx := context.Background()
	var want map[string]uint64
	for _, wasm := range [][]byte{
		cpuModule,
		rewrite(t, cpuModule, Options{}),
		rewrite(t, cpuModule, limited),
		rewrite(t, cpuModule, Options{Interval: 2, Stack: DefaultMaxStack}),
	} {
		rt := wazero.NewRuntime(ctx)
		instantiateHost(t, ctx, rt, func() {})
		m, err := rt.Instantiate(ctx, wasm)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]uint64{}
		for name, n := range rounds {
			r, err := m.ExportedFunction(name).Call(ctx, n)
			if err != nil {
				t.Fatalf("%s: got %v, want no error", name, err)
			}
			got[name] = r[0]
		}
		rt.Close(ctx)
		if want == nil {
			want = got
		}
		for name := range rounds {
			if got[name] != want[name] {
				t.Errorf("%s: got %#x, want %#x", name, got[name], want[name])
			}
		}
	}
}
