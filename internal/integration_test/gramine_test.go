package integration_test

import (
	"context"
	"testing"

	"github.com/wasport/wasport"
)

// TestFilePositionsUnderGramine looks at the part of the guest that Gramine has the calls for:
// pread(2) and pwrite(2) come before the links.
func TestFilePositionsUnderGramine(t *testing.T) {
	g := startGuestWith(t, context.Background(),
		wasport.Config{Dirs: []wasport.Dir{{Host: t.TempDir(), Guest: "/data"}}}, "files", "/data")
	if got := g.readLine(); got != "file ok" {
		t.Errorf("got %q, want %q", got, "file ok")
	}
}
