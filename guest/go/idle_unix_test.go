//go:build unix

package goguest_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"slices"
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
	var shares []float64
	for len(shares) == 0 || len(shares) < 5 && slices.Min(shares) > 0.1 {
		shares = append(shares, idleShare(t, module))
	}
	t.Logf("took %.3f of a processor", shares)
	if least := slices.Min(shares); least > 0.1 {
		t.Errorf("took %.2f of a processor, want a tenth at most", least)
	}
}

// idleShare runs the guest, and returns the share of a processor that this process takes meanwhile.
func idleShare(t *testing.T, module *wasport.Module) float64 {
	t.Helper()
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
	return float64(busy) / float64(wall)
}
