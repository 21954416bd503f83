//go:build unix

package codecache

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// TestForgedEntryTakesLittle has files in place of an entry that nothing authenticates.
func TestForgedEntryTakesLittle(t *testing.T) {
	for _, test := range []struct {
		name  string
		plant func(path string) error
	}{
		{"a FIFO", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
		{"a module of 1 GiB", func(path string) error {
			var head [macSize + headerSize]byte
			binary.LittleEndian.PutUint32(head[macSize+8:], 1<<30)
			return errors.Join(os.WriteFile(path, head[:], 0o600), os.Truncate(path, 1<<30+4096))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			c := openCache(t, dir, filepath.Join(t.TempDir(), "key"))
			name := Source{Module: []byte("module")}.name()
			if err := test.plant(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if was := compileFile(t, c, "module", "abcd", "code"); was != "" {
				t.Errorf("got %q where wazero looks, want no file", was)
			}
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
				t.Errorf("got %d bytes allocated, want less than 64 MiB", got)
			}
		})
	}
}
