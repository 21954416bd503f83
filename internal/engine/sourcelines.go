package engine

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"github.com/wasport/wasport/internal/engine/dwarf"
	"github.com/wasport/wasport/internal/engine/interrupt"
)

// maxLineSearches bounds the searches for source lines in one module, and so the time that guests
// which trap again and again can take from the host. A search finds the lines of one stack.
const maxLineSearches = 1000

// sourceLines tells the source lines of a rewritten module's instructions. It costs nothing until
// it is asked, but for a copy of the module. It may be used by several goroutines.
type sourceLines struct {
	binary  []byte
	options interrupt.Options

	mu       sync.Mutex
	searches int

	// known are the lines that were found, by the offset in the rewritten module's code section.
	known map[uint64][]string
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
	if len(unknown) > 0 && s.searches < maxLineSearches {
		s.searches++
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
		for _, l := range lines {
			texts = append(texts, formatLine(l))
		}
		s.known[offsets[i]] = texts
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

// A frame is one function of a stack trace.
type frame struct {
	function string

	// sources are what wazero wrote below the function.
	sources []string

	// module is the module whose offset the frame has, if any.
	module *sourceLines
	offset uint64
}

// parseFrames reads a stack trace of wazero's.
func (inst *instance) parseFrames(stack string) []frame {
	var frames []frame
	for line := range strings.Lines(stack) {
		line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "\t")
		source, ok := strings.CutPrefix(line, "\t")
		if !ok || len(frames) == 0 {
			frames = append(frames, frame{function: line})
			continue
		}
		f := &frames[len(frames)-1]
		if f.module, f.offset = inst.parseOffset(source); f.module == nil {
			f.sources = append(f.sources, source)
		}
	}
	return frames
}

// parseOffset reads a line that interrupt.Options.Lines caused.
func (inst *instance) parseOffset(source string) (*sourceLines, uint64) {
	offset, number, ok := strings.Cut(source, ": ")
	hex, isHex := strings.CutPrefix(offset, "0x")
	if !ok || !isHex {
		return nil, 0
	}
	at, err := strconv.ParseUint(hex, 16, 64)
	n, err2 := strconv.Atoi(number)
	if err != nil || err2 != nil || n < 0 || n >= len(inst.lines) {
		return nil, 0
	}
	return inst.lines[n], at
}

// findSources replaces the offsets in frames by source lines.
func findSources(frames []frame) {
	for i := range frames {
		s := frames[i].module
		if s == nil {
			continue
		}
		var offsets []uint64
		for _, f := range frames[i:] {
			if f.module == s {
				offsets = append(offsets, f.offset)
			}
		}
		lines := s.find(offsets)
		for j := i; j < len(frames); j++ {
			if f := &frames[j]; f.module == s {
				f.sources, f.module, lines = lines[0], nil, lines[1:]
			}
		}
	}
}
