package engine

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
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
	if s.searched < len(module) {
		t.Errorf("got a cost of %d bytes, want at least the module's %d", s.searched, len(module))
	}
	s.searched = maxSearched
	if got := s.find([]uint64{second})[0]; got != nil {
		t.Errorf("one search too many: got %q, want none", got)
	}
	if got := s.find([]uint64{first}); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("known lines: got %q, want %q", got, want)
	}
}

// TestLinesCostNothingBeforeTrap compares the code of a module with DWARF with that of the same
// module without, and looks for a search.
func TestLinesCostNothingBeforeTrap(t *testing.T) {
	module := slices.Concat([]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01"+
		"\x00"), []byte("\x0a\x0b\x01\x09\x00\x03\x40\x41\x00\x0d\x00\x0b\x0b"))
	plain, lines := interrupt.Options{Interval: 100, Stack: 4096}, interrupt.Options{Interval: 100,
		Stack: 4096}
	debugged := testutil.WithLines(module, "/a.c")
	s := newSourceLines(debugged, &lines, 0)
	want, _, err := interrupt.Rewrite(module, plain)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := interrupt.Rewrite(debugged, lines)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(codeSection(t, got), codeSection(t, want)) {
		t.Errorf("got code % x of a module with DWARF, want % x as without", codeSection(t, got),
			codeSection(t, want))
	}
	if s.searched != 0 || len(s.known) != 0 {
		t.Errorf("got a search of %d bytes before a trap, want none", s.searched)
	}
}

func codeSection(t *testing.T, module []byte) []byte {
	t.Helper()
	for b := module[8:]; len(b) > 0; {
		size, n := binary.Uvarint(b[1:])
		if b[0] == 10 {
			return b[1+n:][:size]
		}
		b = b[1+n+int(size):]
	}
	t.Fatal("got no code section, want one")
	return nil
}

// TestKnownLinesAreBounded searches the lines of a function whose file has a name of a kilobyte,
// one stack after the other.
func TestKnownLinesAreBounded(t *testing.T) {
	const nops = 8000
	body := slices.Concat([]byte{0}, bytes.Repeat([]byte{0x01}, nops), []byte{0x0b})
	code := append(binary.AppendUvarint([]byte{1}, uint64(len(body))), body...)
	module := slices.Concat([]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00"+
		"\x03\x02\x01\x00\x0a"), binary.AppendUvarint(nil, uint64(len(code))), code)
	module = testutil.WithLines(module, "/"+strings.Repeat("a", 2000))
	var options interrupt.Options
	s := newSourceLines(module, &options, 0)
	const stack = 500
	most := 0
	for offset := uint64(10); offset+stack < nops; offset += stack / 2 {
		var offsets []uint64
		for i := range uint64(stack) {
			offsets = append(offsets, offset+i)
		}
		for i, lines := range s.find(offsets) {
			if len(lines) != 1 || len(lines[0]) < 1000 {
				t.Fatalf("offset %d: got %d lines, want one of a kilobyte", offsets[i], len(lines))
			}
		}
		size := 0
		for _, lines := range s.known {
			for _, l := range lines {
				size += len(l)
			}
		}
		if most = max(most, size); size > maxKnownLines+stack*2000 {
			t.Fatalf("got %d bytes of lines, want at most %d and those of a stack", size,
				maxKnownLines)
		}
	}
	if most < maxKnownLines/2 {
		t.Errorf("got %d bytes of lines at most, want some to be kept", most)
	}
}
