package binary

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// maxAlloc is how many bytes may be allocated for an input of a size.
func maxAlloc(size int) uint64 { return 64*uint64(size) + 16<<20 }

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func addFixtures(f *testing.F) {
	paths, err := filepath.Glob("../../guests/components/*.wasm")
	if err != nil || len(paths) == 0 {
		f.Fatalf("got %d components, %v, want some", len(paths), err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzDecode decodes arbitrary components and the core modules in them: an error or definitions,
// in bounded memory, and never a panic.
func FuzzDecode(f *testing.F) {
	addFixtures(f)
	for _, p := range productions {
		f.Add(component(p.b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n := allocated(func() {
			c, err := Decode(b)
			if err == nil {
				decodeModules(t, c)
			}
		})
		if limit := maxAlloc(len(b)); n > limit {
			t.Errorf("got %d bytes allocated for %d, want at most %d", n, len(b), limit)
		}
	})
}

func decodeModules(t *testing.T, c *Component) {
	for _, d := range c.Defs {
		switch d := d.(type) {
		case *Component:
			decodeModules(t, d)
		case *CoreModule:
			m, err := DecodeModule(d.Bytes, d.At())
			if err == nil && m.ImportSection[1] > len(d.Bytes) {
				t.Errorf("got an import section to byte %d of %d", m.ImportSection[1],
					len(d.Bytes))
			}
		}
	}
}
