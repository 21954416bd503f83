//go:build unix

package bench

import (
	"io/fs"
	"strings"
	"testing"
)

// componentDir has the components among Modules.
const componentDir = "component/"

// BenchmarkComponent compares components for WASI 0.2 with native programs. The metrics are those
// of BenchmarkNetwork.
func BenchmarkComponent(b *testing.B) {
	for _, w := range workloads {
		name, _, _ := strings.Cut(w.subject, " ")
		if _, err := fs.Stat(Modules, componentDir+name+".wasm"); err != nil {
			continue // it has no twin
		}
		b.Run(w.name, func(b *testing.B) {
			for _, mode := range w.modes() {
				b.Run(mode.name, func(b *testing.B) {
					w.compare(b, "component", componentDir, mode)
				})
			}
		})
	}
}
