package system

import (
	"context"
	"io"
	"testing"

	"github.com/wasport/wasport/internal/sched"
)

// idle is a reader that returns 0 bytes and no error.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// TestSourceEndsWithoutProgress checks that a source gives up a reader that would keep a processor
// busy for ever.
func TestSourceEndsWithoutProgress(t *testing.T) {
	g, err := New(context.Background(), Config{Stdin: idle{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	th := g.NewThread(sched.New())
	t.Cleanup(th.Close)
	for range 2 {
		if n, err := th.Read(0, [][]byte{make([]byte, 1)}); n != 0 || err != io.ErrNoProgress {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}
