//go:build unix

package goguest_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/guest/go/internal/guesttest"
	"github.com/wasport/wasport/internal/testutil"
)

// TestIdleServerTakesNoProcessorTime has a guest wait in 1,001 goroutines, for connections and for
// data, until their deadline. A guest that looked again and again would compute all the time.
func TestIdleServerTakesNoProcessorTime(t *testing.T) {
	module := programs.Guest(t, "./internal/programs/idle")
	r, w := io.Pipe()
	defer r.Close()
	g, err := module.Start(context.Background(), wasport.Config{
		Args: []string{"idle", "500", "2s"}, Stdout: w, Stderr: os.Stderr,
		Policy: guesttest.Policy(t, "allow listen loopback\nallow connect loopback"),
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		g.Wait()
		w.Close()
	}()
	lines := bufio.NewScanner(r)
	lines.Scan()
	start, before := time.Now(), testutil.ProcessorTime(t)
	lines.Scan()
	wall, busy := time.Since(start), testutil.ProcessorTime(t)-before
	if got, want := lines.Text(), "1001 have waited"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if busy > wall/10 {
		t.Errorf("got %v of processor time in %v, want a tenth at most", busy, wall)
	}
	t.Logf("%v of processor time in %v", busy, wall)
}
