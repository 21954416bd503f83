//go:build unix

package bench

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	componentguests "github.com/wasport/wasport/internal/guests/components"
)

// BenchmarkComponentCall measures calls of a component's imports, from the guest's call to its
// return, on the guest's clock. All but resolution and wall-clock.now have direct forms, which
// handle flat arguments.
func BenchmarkComponentCall(b *testing.B) {
	wasm, err := componentguests.FS.ReadFile("calls.wasm")
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		b.Fatal(err)
	}
	defer rt.Close(ctx)
	module, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"monotonic-clock.now", "monotonic-clock.resolution",
		"wall-clock.now", "pollable.ready", "pollable.block", "output-stream.subscribe",
		"output-stream.check-write", "output-stream.write", "output-stream.flush", "poll"} {
		b.Run(name, func(b *testing.B) {
			var out bytes.Buffer
			status, err := module.Run(ctx, wasport.Config{Stdout: &out,
				Args: []string{"calls", name, strconv.Itoa(b.N)}})
			if err != nil || status.Code != 0 {
				b.Fatalf("got status %d and error %v, want 0", status.Code, err)
			}
			took, err := strconv.ParseFloat(strings.TrimSpace(out.String()), 64)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(took/float64(b.N), "ns/op")
		})
	}
}
