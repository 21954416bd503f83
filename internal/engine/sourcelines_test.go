package engine

import (
	"slices"
	"testing"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/testutil"
)

// TestSourceLinesAreBounded searches lines until no more searches are allowed. Lines that are known
// are told from then on as well.
func TestSourceLinesAreBounded(t *testing.T) {
	unreachable := []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00" +
		"\x0a\x05\x01\x03\x00\x00\x0b")
	module := testutil.WithLines(unreachable, "/a.c")
	var options interrupt.Options
	if newSourceLines(unreachable, &options, 3) != nil || options.Lines != "" {
		t.Errorf("got lines %q of a module without DWARF, want none", options.Lines)
	}
	s := newSourceLines(module, &options, 3)
	if s == nil || options.Lines != "3" {
		t.Fatalf("got %v and lines %q, want those of module 3", s, options.Lines)
	}
	clear(module) // The embedder may use the bytes again after the compilation.

	const first, second = 4, 5 // In the only function.
	want := [][]string{{"/a.c:1"}}
	if got := s.find([]uint64{first}); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the first search: got %q, want %q", got, want)
	}
	s.searches = maxLineSearches
	if got := s.find([]uint64{second})[0]; got != nil {
		t.Errorf("one search too many: got %q, want none", got)
	}
	if got := s.find([]uint64{first}); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("known lines: got %q, want %q", got, want)
	}
}
