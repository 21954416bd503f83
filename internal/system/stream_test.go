package system

import (
	"context"
	"io"
	"testing"

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/network"
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

// TestNoStdinIsAtItsEnd reads and polls descriptor 0 of a guest without a Config.Stdin.
func TestNoStdinIsAtItsEnd(t *testing.T) {
	th := newThread(t, Config{})
	d, err := th.table.lookup(0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := th.Read(0, [][]byte{make([]byte, 1)}); n != 0 || err != nil {
		t.Errorf("read: got %d, %v, want 0 bytes", n, err)
	}
	const both = network.Readable | network.Writable
	if got, err := d.object.Poll(both); got != network.Readable || err != nil {
		t.Errorf("poll: got %v, %v, want that it is readable alone", got, err)
	}
	if _, err := th.Write(0, [][]byte{{1}}); err == nil {
		t.Error("write: got no error, want one")
	}
}
