package interrupt

import "testing"

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
