package interrupt

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
)

func BenchmarkRewrite(b *testing.B) {
	for name, wasm := range map[string][]byte{"c": cpuModule,
		"go": goTool(b, "build", "../../guests/compute")} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(wasm)))
			b.ReportAllocs()
			for b.Loop() {
				rewrite(b, wasm, limited)
			}
		})
	}
}

// BenchmarkRenewedLoop runs short loops that carry three values, with checks and without. Renewing
// relies on wazero not folding x|0 (see renew.go). If checked moves away from plain, 1.04 to 1.14
// times its time with wazero 1.12, then wazero may have begun to fold it.
func BenchmarkRenewedLoop(b *testing.B) {
	for name, wasm := range map[string][]byte{"plain": cpuModule,
		"checked": rewrite(b, cpuModule, limited)} {
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			rt := wazero.NewRuntime(ctx)
			defer rt.Close(ctx)
			instantiateHost(b, ctx, rt, func() {})
			m, err := rt.Instantiate(ctx, wasm)
			if err != nil {
				b.Fatal(err)
			}
			matrix := m.ExportedFunction("matrix")
			for b.Loop() {
				if _, err := matrix.Call(ctx, 20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
