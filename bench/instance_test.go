package bench

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport"
)

// callee is a module with two functions: empty, and host, which calls host.f.
var callee = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x04\x01\x60\x00\x00" + // type: () -> ()
	"\x02\x0a\x01\x04host\x01f\x00\x00" +
	"\x03\x03\x02\x00\x00" +
	"\x07\x10\x02\x05empty\x00\x01\x04host\x00\x02" +
	"\x0a\x09\x02\x02\x00\x0b\x04\x00\x10\x00\x0b")

// BenchmarkInstanceCall calls functions of an instance: an empty one, with a context that never
// ends and with one that may, from two goroutines in turn, and one that calls a host function.
func BenchmarkInstanceCall(b *testing.B) {
	ctx := context.Background()
	host := wasport.HostFunction{Module: "host", Name: "f",
		Call: func(context.Context, *wasport.Caller, []uint64) {}, Params: []api.ValueType{}}
	r, err := wasport.NewRuntime(ctx,
		wasport.RuntimeConfig{HostFunctions: []wasport.HostFunction{host}})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close(ctx)
	m, err := r.Compile(ctx, callee, wasport.CompileConfig{})
	if err != nil {
		b.Fatal(err)
	}
	i, err := m.Instantiate(ctx, wasport.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer i.Close()
	cancellable, cancel := context.WithCancel(ctx)
	defer cancel()
	call := func(b *testing.B, ctx context.Context, name string) {
		if _, err := i.Call(ctx, name); err != nil {
			b.Fatal(err)
		}
	}
	for _, row := range []struct {
		name, function string
		ctx            context.Context
	}{
		{"empty", "empty", ctx}, {"cancellable", "empty", cancellable}, {"host", "host", ctx},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call(b, row.ctx, row.function)
			}
		})
	}
	b.Run("goroutines", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				call(b, ctx, "empty")
			}
		})
	})
}

// BenchmarkInstantiate makes instances and closes them.
func BenchmarkInstantiate(b *testing.B) {
	g := newGuestHost(b, wasport.RuntimeConfig{})
	m := g.compileModule(b, "hello", nil)
	b.ReportAllocs()
	for b.Loop() {
		i, err := m.Instantiate(context.Background(), wasport.Config{})
		if err == nil {
			err = i.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
