package interrupt

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// FuzzRewrite rewrites arbitrary bytes and mutated modules. Rewrite must not panic, its output must
// not be much larger than the input, and wazero must accept the output if and only if it accepts
// the input.
func FuzzRewrite(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(header)
	f.Add(cpuModule)
	withMarkers, _ := marked()
	f.Add(withMarkers)
	for _, set := range []map[string][]byte{endless, recursions} {
		for _, wasm := range set {
			if len(wasm) < 4096 {
				f.Add(wasm)
			}
		}
	}
	for _, enclose := range nestings {
		f.Add(nestedAssignments(enclose, 100, 50))
		f.Add(nestedAssignments(enclose, 2000, 700)) // Beyond the budget of values.
	}
	for seed := range uint64(4) {
		f.Add(dispatcher(rand.New(rand.NewPCG(seed, 1))))
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		NamedGlobal(wasm, "")
		Landmarks(wasm)
		ByGo(wasm)
		HasLines(wasm)
		for _, o := range []Options{{}, limited, {Lines: "0"}} {
			out, _, err := Rewrite(wasm, o)
			if _, err2 := Origins(wasm, o, []uint64{1, 40, 1000}); (err == nil) != (err2 == nil) {
				t.Fatalf("Origins: got %v, want the error of Rewrite: %v", err2, err)
			}
			if err != nil {
				if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnsupported) {
					t.Fatalf("got %v, want ErrMalformed or ErrUnsupported", err)
				}
				continue
			}
			if len(out) > 64*len(wasm)+4096 {
				t.Fatalf("got %d bytes from %d, want at most 64 times as many and 4096", len(out),
					len(wasm))
			}
			if bytes.Contains(wasm, []byte("name")) {
				// wazero allocates for as many names as an input declares.
				continue
			}
			// wazero refuses an empty custom section at the end. The output never ends with one.
			input := append(wasm[:len(wasm):len(wasm)], customSection("last", 0)...)
			before, after := accepted(t, input), accepted(t, out)
			if (before == nil) != (after == nil) {
				t.Fatalf("wazero on the output: got %v, want the same as on the input: %v", after,
					before)
			}
		}
	})
}
