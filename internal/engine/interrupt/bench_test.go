package interrupt

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

func benchmarkModules(b *testing.B) map[string][]byte {
	return map[string][]byte{"c": cpuModule, "go": goTool(b, "build", "../../guests/compute")}
}

func BenchmarkRewrite(b *testing.B) {
	for name, wasm := range benchmarkModules(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(wasm)))
			b.ReportAllocs()
			for b.Loop() {
				rewrite(b, wasm, limited)
			}
		})
	}
}

// BenchmarkCompile compares the time to rewrite a module and compile it, on one processor, with the
// time to compile it as it is. Both are the least of runs in turns.
func BenchmarkCompile(b *testing.B) {
	for name, wasm := range benchmarkModules(b) {
		b.Run(name, func(b *testing.B) {
			asItIs, rewritten := time.Duration(1<<62), time.Duration(1<<62)
			for b.Loop() {
				asItIs = min(asItIs, compileTime(b, func() []byte { return wasm }))
				rewritten = min(rewritten,
					compileTime(b, func() []byte { return rewrite(b, wasm, limited) }))
			}
			b.ReportMetric(rewritten.Seconds()*1e3, "rewritten-ms")
			b.ReportMetric(float64(rewritten)/float64(asItIs), "to-as-it-is")
		})
	}
}

func compileTime(b *testing.B, prepare func() []byte) time.Duration {
	b.Helper()
	runtime.GC()
	ctx, start := context.Background(), time.Now()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	defer rt.Close(ctx)
	if _, err := rt.CompileModule(ctx, prepare()); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
