package task

import (
	"strings"
	"testing"
)

// TestVolumeInReadOnlyRoot writes to volumes, whose modes are their own.
func TestVolumeInReadOnlyRoot(t *testing.T) {
	s := newShim(t, "internal/guests/escape.wasm", "rw/new", "ro/new", "new")
	s.spec.Root.Readonly = true
	s.write("volume/in", "")
	s.mount("volume", "/rw", "rw")
	s.mount("volume", "/ro", "ro")
	out, errs, _ := s.run()
	for _, want := range []string{"create rw/new 0 OK", "create ro/new 69 EROFS",
		"create new 69 EROFS"} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("got %q and\n%s\nwant %q", errs, out, want)
		}
	}
}
