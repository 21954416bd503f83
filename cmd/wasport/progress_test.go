package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func TestProgressShowsSecondsAndErasesTheLine(t *testing.T) {
	for _, row := range []struct {
		name  string
		ticks int
		want  string
	}{
		{"less than a second", 0, ""},
		{"two seconds", 2, "\r\x1b[Kwasport: compiling x, 1 s\r\x1b[Kwasport: compiling x, 2 " +
			"s\r\x1b[K"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out strings.Builder
			tick := make(chan time.Time)
			stop := startProgress(&out, "compiling x", tick)
			for range row.ticks {
				tick <- time.Time{}
			}
			stop()
			if got := out.String(); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestProgressOnStalledTerminal stops while a write to the terminal blocks.
func TestProgressOnStalledTerminal(t *testing.T) {
	r, w := io.Pipe()
	defer r.Close()
	tick := make(chan time.Time)
	stop := startProgress(w, "compiling x", tick)
	tick <- time.Time{}
	stop() // must return; otherwise the test times out
}

func TestIsTerminalOnlyForTerminals(t *testing.T) {
	for path, want := range terminals {
		f, err := os.Open(path)
		if err != nil {
			t.Log(err) // this system has no such file
			continue
		}
		if got := isTerminal(f); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
		f.Close()
	}
}
