package engine

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"github.com/wasport/wasport/internal/engine/dwarf"
	"github.com/wasport/wasport/internal/engine/interrupt"
)

// maxSearched bounds the searches for source lines in one module, and so the time that guests which
// trap again and again can take from the host. It is in bytes: a search finds the lines of one
// stack, for which it goes through the whole module. searchCost are the bytes whose reading takes
// as long as the rest of a search.
const (
	maxSearched = 256 << 20
	searchCost  = 256 << 10
)

// maxOffsetLines bounds the lines of one offset in bytes: 64 functions may be inlined in each
// other, each with a path of kilobytes. maxKnownLines bounds the lines that a module keeps.
const (
	maxOffsetLines = 8 << 10
	maxKnownLines  = 4 << 20
)

// lineOverhead is the memory of a line besides its text, and that of an offset.
const lineOverhead = 64

// sourceLines tells the source lines of a rewritten module's instructions. It costs nothing until
// it is asked, but for a copy of the module. It may be used by several goroutines.
type sourceLines struct {
	binary  []byte
	options interrupt.Options

	mu sync.Mutex
	// searched is the cost of the searches until now, in bytes.
	searched int

	// known are the lines that were found, by the offset in the rewritten module's code section.
	known map[uint64][]string
	// size is what known takes, in bytes. Beyond maxKnownLines the next search forgets them.
	size int
}

// newSourceLines returns nil for a module without DWARF. Otherwise it sets options.Lines to the
// number by which stackLines finds it.
func newSourceLines(binary []byte, options *interrupt.Options, number int) *sourceLines {
	if !interrupt.HasLines(binary) {
		return nil
	}
	options.Lines = strconv.Itoa(number)
	return &sourceLines{binary: bytes.Clone(binary), options: *options,
		known: make(map[uint64][]string)}
}

// find returns the source lines of each offset.
func (s *sourceLines) find(offsets []uint64) [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var unknown []uint64
	for _, offset := range offsets {
		if _, ok := s.known[offset]; !ok {
			unknown = append(unknown, offset)
		}
	}
	if len(unknown) > 0 && s.searched < maxSearched {
		s.searched += len(s.binary) + searchCost
		if s.size > maxKnownLines {
			clear(s.known)
			s.size, unknown = 0, offsets
		}
		s.search(unknown)
	}
	lines := make([][]string, len(offsets))
	for i, offset := range offsets {
		lines[i] = s.known[offset]
	}
	return lines
}

func (s *sourceLines) search(offsets []uint64) {
	origins, err := interrupt.Origins(s.binary, s.options, offsets)
	if err != nil {
		return // Impossible: the module was rewritten before.
	}
	sections := dwarf.OfModule(func(name string) []byte {
		return interrupt.CustomSection(s.binary, name)
	})
	for i, lines := range sections.Lines(origins) {
		var texts []string
		size := lineOverhead
		for _, l := range lines {
			text := formatLine(l)
			if size += len(text) + lineOverhead; size > maxOffsetLines {
				break
			}
			texts = append(texts, text)
		}
		s.known[offsets[i]] = texts
		s.size += size
	}
}

// formatLine formats a line as compilers do. The names in it are the guest's.
func formatLine(l dwarf.Line) string {
	var b strings.Builder
	b.WriteString(l.File)
	for _, n := range []uint32{l.Number, l.Column} {
		if n == 0 {
			break
		}
		b.WriteByte(':')
		b.WriteString(strconv.FormatUint(uint64(n), 10))
	}
	if l.Function != "" {
		b.WriteString(" in " + l.Function)
	}
	if l.Inlined {
		b.WriteString(" (inlined)")
	}
	return b.String()
}
