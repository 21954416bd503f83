package binary

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/binary/binarytest"
)

// nested is n components in each other.
func nested(n int) []byte {
	b := component()
	for range n {
		b = component(section(4, b))
	}
	return b
}

// nestedTypes is a component of n types of instances in each other.
func nestedTypes(n int) []byte {
	b := join(0x7f)
	for range n {
		b = join(0x42, 1, 1, b)
	}
	return component(section(7, 1, b))
}

// repeat is a section of n items.
func repeat(id, n int, item ...any) []byte {
	return component(section(id, uint32(n), bytes.Repeat(join(item...), n)))
}

// Each limit is reached by one, and kept with one less.
func TestLimits(t *testing.T) {
	import1 := join(4, 0, "", 3, 1)
	for _, tt := range []struct {
		name          string
		within, after []byte
		text          string
	}{
		{"nested components", nested(maxNesting), nested(maxNesting + 1),
			"components nested deeper than 100"},
		{"nested types", nestedTypes(maxNesting), nestedTypes(maxNesting + 1),
			"types nested deeper than 100"},
		{"types", repeat(7, maxTypes, 0x7f), repeat(7, maxTypes+1, 0x7f),
			"more than 50000 types"},
		{"core types", repeat(3, maxTypes, 0x60, 0, 0), repeat(3, maxTypes+1, 0x60, 0, 0),
			"more than 50000 types"},
		{"functions", repeat(8, maxItems, 0, 0, 0, 0, 0), repeat(8, maxItems+1, 0, 0, 0, 0, 0),
			`more than 100000 items of the sort "function"`},
		{"imports", repeat(10, maxNames, 0, "", 5, 0), repeat(10, maxNames+1, 0, "", 5, 0),
			"more than 20000 imports, exports and arguments"},
		{"declarations", component(section(7, 1, 0x42, uint32(maxDecls),
			bytes.Repeat(import1, maxDecls))), component(section(7, 1, 0x42, uint32(maxDecls+1),
			bytes.Repeat(import1, maxDecls+1))), "more than 10000 imports and exports"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkDecode(t, tt.within, "")
			checkDecode(t, tt.after, tt.text)
		})
	}
	t.Run("size", func(t *testing.T) {
		checkDecode(t, make([]byte, maxSize+1), "at most 268435456 are allowed")
	})
}

// checkDecode checks that b is decoded within the bounds of memory, or that the error is about a
// limit and has a text.
func checkDecode(t *testing.T, b []byte, text string) {
	t.Helper()
	var err error
	n := allocated(func() { _, err = Decode(b) })
	if limit := maxAlloc(len(b)); n > limit {
		t.Errorf("got %d bytes allocated for %d, want at most %d", n, len(b), limit)
	}
	if text == "" {
		if err != nil {
			t.Errorf("got %v, want a component", err)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) || e.Kind != TooMuch || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want an error about the limit %q", err, text)
	}
}

// A core module of many small items takes no more memory for its bytes than others.
func TestCoreMemory(t *testing.T) {
	many := func(id int, item ...any) []byte {
		const n = 300_000
		return section(id, uint32(n), bytes.Repeat(join(item...), n))
	}
	signature := section(1, 1, 0x60, 0, 0)
	var exports, imports []byte
	for i := range uint32(300_000) {
		name := join(i)
		exports = append(exports, join(len(name), name, 0, 0)...)
		imports = append(imports, join(0, len(name), name, 3, 0x7f, 0)...)
	}
	for _, tt := range []struct {
		name     string
		sections [][]byte
	}{
		{"types", [][]byte{many(1, 0x60, 0, 0)}},
		{"imports", [][]byte{section(2, uint32(300_000), imports)}},
		{"functions", [][]byte{signature, many(3, 0)}},
		{"tables", [][]byte{many(4, 0x70, 0, 0)}},
		{"memories", [][]byte{many(5, 0, 0)}},
		{"globals", [][]byte{many(6, 0x7f, 0, 0x41, 0, 0x0b)}},
		{"exports", [][]byte{signature, section(3, 1, 0), section(7, uint32(300_000), exports)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := binarytest.Core(tt.sections...)
			n := allocated(func() { DecodeModule(b, 0) })
			if limit := maxAlloc(len(b)); n > limit {
				t.Errorf("got %d bytes allocated for %d, want at most %d", n, len(b), limit)
			}
		})
	}
}
