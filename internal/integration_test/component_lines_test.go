package integration_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/wasport/wasport"
	componentguests "github.com/wasport/wasport/internal/guests/components"
	"github.com/wasport/wasport/internal/testutil"
)

// withComponentLines returns a component with DWARF in its core modules: all code of the n-th one
// is in line 1 of /n.c.
func withComponentLines(t *testing.T, component []byte) []byte {
	t.Helper()
	const preamble, coreModule = 8, 1 // Component model, Binary.md.
	out, rest := slices.Clone(component[:preamble]), component[preamble:]
	for n := 0; len(rest) > 0; {
		id := rest[0]
		size, length := binary.Uvarint(rest[1:])
		if length <= 0 || size > uint64(len(rest)-1-length) {
			t.Fatal("got a section beyond the end, want a component")
		}
		content := rest[1+length:][:size]
		rest = rest[1+length:][size:]
		if id == coreModule {
			content = testutil.WithLines(content, fmt.Sprintf("/%d.c", n))
			n++
		}
		out = append(binary.AppendUvarint(append(out, id), uint64(len(content))), content...)
	}
	return out
}

// TestComponentTrapHasLines traps components of several core modules. Each frame has the line of
// its own module, or none: the destructor's is in a component of its own, which has no DWARF.
func TestComponentTrapHasLines(t *testing.T) {
	for name, want := range map[string]string{
		"trap_destructor": `^destructor\.fail\(\)\ndestructor\.\$1\(i32\)\nhost\.resource\.drop\(i32\)\n` +
			`main\.discard\(\)\n\t/(\d)\.c:1\nmain\.\$3\(\) i32\n\t/(\d)\.c:1$`,
		"recursion": `main\.again\(i64\) i64\n\t/(\d)\.c:1\nthere\.\$0\(i64\) i64\n\t/(\d)\.c:1\n`,
	} {
		t.Run(name, func(t *testing.T) {
			wasm, err := componentguests.FS.ReadFile(name + ".wasm")
			if err != nil {
				t.Fatal(err)
			}
			m, err := shared.runtime.Compile(t.Context(), withComponentLines(t, wasm),
				wasport.CompileConfig{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close(t.Context())
			_, err = m.Run(t.Context(), wasport.Config{})
			trap := (*wasport.Trap)(nil)
			if !errors.As(err, &trap) {
				t.Fatalf("got %v, want a trap", err)
			}
			files := regexp.MustCompile(want).FindStringSubmatch(trap.Stack)
			sameModule := name == "trap_destructor"
			if files == nil || (files[1] == files[2]) != sameModule {
				t.Errorf("got the stack\n%s\nwant one that matches %s", trap.Stack, want)
			}
		})
	}
}
