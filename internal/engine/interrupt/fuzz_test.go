package interrupt

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzRewrite gives it arbitrary bytes and mutated modules. It must neither panic nor take much
// more memory than they have bytes, and wazero must take the output exactly if it takes the input.
func FuzzRewrite(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(header)
	f.Add(cpuModule)
	for _, set := range []map[string][]byte{endless, recursions} {
		for _, wasm := range set {
			if len(wasm) < 4096 {
				f.Add(wasm)
			}
		}
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		NamedGlobal(wasm, "")
		ByGo(wasm)
		for _, o := range []Options{{}, limited} {
			out, _, err := Rewrite(wasm, o)
			if err != nil {
				if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnsupported) {
					t.Fatalf("error of no kind: %v", err)
				}
				continue
			}
			if len(out) > 64*len(wasm)+4096 {
				t.Fatalf("%d bytes became %d", len(wasm), len(out))
			}
			if bytes.Contains(wasm, []byte("name")) {
				// wazero allocates for as many names as an input promises.
				continue
			}
			// wazero does not take an empty custom section at the end, where the output's are not.
			if before, after := accepted(t,
				append(wasm[:len(wasm):len(wasm)],
					customSection("last",
						0)...)), accepted(t, out); (before == nil) != (after == nil) {
				t.Fatalf("wazero says %v of the input and %v of the output", before, after)
			}
		}
	})
}
