package integration_test

import (
	"context"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport"
)

// TestWordsHaveNoUpperHalf passes values of 32 bits that compiled code makes of values of 64 bits,
// and that the embedder makes with the upper half set. None reaches the other side with that half.
func TestWordsHaveNoUpperHalf(t *testing.T) {
	const wide, word = 0x1234567840000005, 0x40000005
	ctx := context.Background()
	var passed []uint64
	words := wasport.HostFunction{Module: "host", Name: "words",
		Params:  []api.ValueType{api.ValueTypeI64, api.ValueTypeI32, api.ValueTypeF32},
		Results: []api.ValueType{api.ValueTypeI32},
		Call: func(ctx context.Context, c *wasport.Caller, values []uint64) {
			passed = slices.Clone(values)
			got, err := c.Call(ctx, "i32", wide)
			checkWords(t, "Caller.Call", got, err, word)
			values[0] = wide
		}}
	fill := wasport.HostFunction{Module: "host", Name: "fill",
		Params: []api.ValueType{api.ValueTypeI64, api.ValueTypeI64, api.ValueTypeI64},
		Call:   func(context.Context, *wasport.Caller, []uint64) {}}
	for name, c := range instanceRuntimes {
		t.Run(name, func(t *testing.T) {
			c.HostFunctions = []wasport.HostFunction{words, fill}
			r, err := wasport.NewRuntime(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close(ctx)
			m, err := r.Compile(ctx, testdata(t, "words"), wasport.CompileConfig{})
			if err != nil {
				t.Fatal(err)
			}
			i := newInstance(t, m, wasport.Config{})
			defer i.Close()
			for function, want := range map[string][]uint64{
				"i32": {word}, "f32": {word}, "wrap": {wide, word, word}, "pass": {word},
			} {
				got, err := i.Call(ctx, function, wide)
				checkWords(t, function+" by Instance.Call", got, err, want...)
			}
			checkWords(t, "the host function", passed, nil, wide, word, word)
			status, err := m.Run(ctx, wasport.Config{Function: "i32", Params: []uint64{wide}})
			checkWords(t, "Status.Results", status.Results, err, word)
		})
	}
}

func checkWords(t *testing.T, where string, got []uint64, err error, want ...uint64) {
	t.Helper()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: got %x, %v; want %x", where, got, err, want)
	}
}
