package codecache

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkRestore opens a cache, verifies an entry, and copies it to wazero's directory.
func BenchmarkRestore(b *testing.B) {
	for _, size := range []int{256 << 10, 1 << 20, 16 << 20} {
		b.Run(strconv.Itoa(size>>10)+"KiB", func(b *testing.B) {
			dir, keyFile := b.TempDir(), filepath.Join(b.TempDir(), "key")
			code := strings.Repeat("x", size)
			for b.Loop() {
				c, err := Open(dir, keyFile)
				if err != nil {
					b.Fatal(err)
				}
				compileFile(b, c, "module", "abcd", code)
				c.Wazero.Close(context.Background())
				c.Close()
			}
		})
	}
}
