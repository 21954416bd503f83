package interrupt

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// BenchmarkGuest runs guests that only compute, in turns as they are, rewritten, and with wazero's own check for the end of a
// context. It reports the median of the first, and how many times as long the others take.
//
//	go test -run '^$' -bench Guest -benchtime 15x ./internal/engine/interrupt
func BenchmarkGuest(b *testing.B) {
	b.Run("c", func(b *testing.B) {
		v := compileVariants(b, cpuModule)
		for _, name := range slices.Sorted(maps.Keys(rounds)) {
			b.Run(name, func(b *testing.B) {
				v.compare(b, func(ctx context.Context, rt wazero.Runtime, compiled wazero.CompiledModule) func() {
					m, err := rt.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName(""))
					if err != nil {
						b.Fatal(err)
					}
					f := m.ExportedFunction(name)
					return func() {
						if _, err := f.Call(ctx, 10*rounds[name]); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		}
	})
	b.Run("go", func(b *testing.B) {
		v := compileVariants(b, goTool(b, "build", "./testdata/goguest"))
		for _, name := range []string{"json", "map", "regexp", "sha256", "sort"} {
			b.Run(name, func(b *testing.B) {
				config := wazero.NewModuleConfig().WithName("").WithArgs("guest", name).WithStdout(io.Discard).WithRandSource(rand.Reader)
				v.compare(b, func(ctx context.Context, rt wazero.Runtime, compiled wazero.CompiledModule) func() {
					return func() {
						m, err := rt.InstantiateModule(ctx, compiled, config)
						var exit *sys.ExitError
						if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 0) {
							b.Fatal(err)
						}
						_ = m.Close(ctx)
					}
				})
			})
		}
	})
}

// variants are the ways to run a module: as it is, rewritten, and checked by wazero.
type variants struct {
	runtimes [3]wazero.Runtime
	compiled [3]wazero.CompiledModule
}

func compileVariants(b *testing.B, wasm []byte) *variants {
	ctx := context.Background()
	rewritten := rewrite(b, wasm, limited)
	v := &variants{}
	for i := range v.runtimes {
		config := wazero.NewRuntimeConfig().WithCoreFeatures(features).WithCloseOnContextDone(i == 2)
		rt := wazero.NewRuntimeWithConfig(ctx, config)
		b.Cleanup(func() { _ = rt.Close(ctx) })
		instantiateHost(b, ctx, rt, runtime.Gosched)
		wasi_snapshot_preview1.MustInstantiate(ctx, rt)
		module := wasm
		if i == 1 {
			module = rewritten
		}
		compiled, err := rt.CompileModule(ctx, module)
		if err != nil {
			b.Fatal(err)
		}
		v.runtimes[i], v.compiled[i] = rt, compiled
	}
	return v
}

func (v *variants) compare(b *testing.B, prepare func(context.Context, wazero.Runtime, wazero.CompiledModule) func()) {
	// wazero's check starts for a context that can end only.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var runs [3]func()
	for i := range runs {
		runs[i] = prepare(ctx, v.runtimes[i], v.compiled[i])
	}
	var took [3][]time.Duration
	for b.Loop() {
		for i, run := range runs {
			start := time.Now()
			run()
			took[i] = append(took[i], time.Since(start))
		}
	}
	var median [3]time.Duration
	for i, t := range took {
		slices.Sort(t)
		median[i] = t[len(t)/2]
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median[0].Seconds()*1e3, "ms")
	b.ReportMetric(median[1].Seconds()/median[0].Seconds(), "rewritten")
	b.ReportMetric(median[2].Seconds()/median[0].Seconds(), "checked")
}

func BenchmarkRewrite(b *testing.B) {
	for name, wasm := range map[string][]byte{"c": cpuModule, "go": goTool(b, "build", "./testdata/goguest")} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(wasm)))
			b.ReportAllocs()
			for b.Loop() {
				rewrite(b, wasm, limited)
			}
		})
	}
}
