package dwarf

import (
	stddwarf "debug/dwarf"
	"encoding/binary"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/needs"
)

// compile compiles C++ to a relocated module without a C library, and returns its sections.
func compile(t *testing.T, source string, flags ...string) *Sections {
	t.Helper()
	needs.Compiler(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.cc"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("clang", append([]string{"--target=wasm32", "-nostdlib", "-O2", "-g",
		"-fno-exceptions", "-fdebug-prefix-map=" + dir + "=/src", "-Wl,--no-entry",
		"-Wl,--export=outer", "a.cc", "-o", "a.wasm"}, flags...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("clang: got %v, want no error\n%s", err, out)
	}
	module, err := os.ReadFile(filepath.Join(dir, "a.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return OfModule(func(name string) []byte { return interrupt.CustomSection(module, name) })
}

const inlined = `extern "C" volatile int at;
volatile int at;
struct Counter {
	int total;
	inline void add(int n) { total += n; at = 5; }
};
static inline void twice(Counter &c) {
	c.add(1);
	at = 9;
}
extern "C" int outer(int n) {
	Counter c{n};
	twice(c);
	at = 14;
	return c.total;
}
`

// std returns the data of debug/dwarf.
func std(t *testing.T, s *Sections) *stddwarf.Data {
	t.Helper()
	d, err := stddwarf.New(s.Abbrev, nil, nil, s.Info, s.Line, nil, s.Ranges, s.Str)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{".debug_addr": s.Addr,
		".debug_line_str": s.LineStr, ".debug_str_offsets": s.StrOffsets,
		".debug_rnglists": s.Rnglists} {
		if err := d.AddSection(name, content); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// rows returns the rows of all line tables, as debug/dwarf reads them.
func rows(t *testing.T, d *stddwarf.Data) (list []stddwarf.LineEntry) {
	t.Helper()
	r := d.Reader()
	for {
		unit, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if unit == nil {
			return list
		}
		r.SkipChildren()
		lines, err := d.LineReader(unit)
		if err != nil || lines == nil {
			t.Fatalf("got %v, %v, want a line table", lines, err)
		}
		var e stddwarf.LineEntry
		for lines.Next(&e) == nil {
			list = append(list, e)
		}
	}
}

func TestLinesOfEachVersion(t *testing.T) {
	for version := 2; version <= 5; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			s := compile(t, inlined, fmt.Sprintf("-gdwarf-%d", version))
			checkRows(t, s, 5)
			var chains []string
			for _, e := range rows(t, std(t, s)) {
				if !e.EndSequence {
					chains = append(chains, chain(s.Lines([]uint64{e.Address})[0]))
				}
			}
			got := strings.Join(chains, "\n")
			for _, want := range []string{
				"/src/a.cc:5 in add < /src/a.cc:8 in twice < /src/a.cc:13",
				"/src/a.cc:9 in twice < /src/a.cc:13",
				"\n/src/a.cc:14",
			} {
				if !strings.Contains(got, want) {
					t.Errorf("got the lines\n%s\nwant %s among them", got, want)
				}
			}
		})
	}
}

// chain formats the lines of an offset, without columns.
func chain(lines []Line) string {
	var list []string
	for _, l := range lines {
		text := fmt.Sprintf("%s:%d", l.File, l.Number)
		if l.Inlined {
			text += " in " + l.Function
		}
		list = append(list, text)
	}
	return strings.Join(list, " < ")
}

// checkRows compares the row of each address that debug/dwarf finds. There are at least so many.
func checkRows(t *testing.T, s *Sections, atLeast int) {
	t.Helper()
	all := rows(t, std(t, s))
	checked := 0
	for i, e := range all {
		if e.EndSequence || all[i+1].Address == e.Address || e.Address == 0 {
			continue
		}
		checked++
		for _, offset := range []uint64{e.Address, all[i+1].Address - 1} {
			lines := s.Lines([]uint64{offset})[0]
			if lines == nil {
				t.Fatalf("offset %#x: got no line, want %s:%d", offset, e.File.Name, e.Line)
			}
			got := fmt.Sprintf("%s:%d:%d", lines[0].File, lines[0].Number, lines[0].Column)
			if want := fmt.Sprintf("%s:%d:%d", e.File.Name, e.Line, e.Column); got != want {
				t.Errorf("offset %#x: got %s, want %s", offset, got, want)
			}
		}
	}
	if checked < atLeast {
		t.Errorf("got %d rows, want at least %d", checked, atLeast)
	}
}

// TestManyOffsetsAtOnce compares one search with a search for each offset.
func TestManyOffsetsAtOnce(t *testing.T) {
	s := compile(t, inlined)
	var offsets []uint64
	for offset := uint64(0); offset < 200; offset++ {
		offsets = append(offsets, offset)
	}
	for i, got := range s.Lines(offsets) {
		if want := s.Lines(offsets[i : i+1])[0]; !reflect.DeepEqual(got, want) {
			t.Errorf("offset %d: got %v, want %v", i, got, want)
		}
	}
}

// TestHostileSections counts the steps of sections that make other readers allocate or loop.
func TestHostileSections(t *testing.T) {
	valid := compile(t, inlined, "-gdwarf-5")
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	noSize := []byte{1, tagCompileUnit, 0} // An entry of many attributes without any byte.
	for range maxAttributes - 1 {
		noSize = append(noSize, attrName, formFlagPresent)
	}
	noSize = append(noSize, 0, 0, 0)
	for name, s := range map[string]*Sections{
		"files":   {Info: valid.Info, Abbrev: valid.Abbrev, Line: withFileCount(valid.Line, huge)},
		"entries": {Info: manyUnits(1 << 20), Abbrev: noSize},
	} {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(1, func() { s.Lines([]uint64{8, 100}) }); got > 1000 {
				t.Errorf("got %.0f allocations, want at most 1000", got)
			}
		})
	}
}

// TestManyPlacesTakeMoreSteps searches 30 offsets among the inlined functions of a unit, and so
// compares each with each.
func TestManyPlacesTakeMoreSteps(t *testing.T) {
	abbrev := []byte{1, tagCompileUnit, 1, attrLowPC, formUdata, attrHighPC, formUdata, 0, 0,
		2, tagInlinedSubroutine, 0, attrLowPC, formUdata, attrHighPC, formData1, 0, 0, 0}
	info := []byte{0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 1, 1, 0xff, 0x7f}
	const entries = 1 << 20
	for range entries {
		info = append(info, 2, 1, 1)
	}
	binary.LittleEndian.PutUint32(info, uint32(len(info)-4))
	visited := func(offsets int) int {
		s := &Sections{Info: info, Abbrev: abbrev}
		places := make([]place, offsets)
		for i := range places {
			places[i] = place{offset: 100, wanted: true}
		}
		steps := maxSteps
		u := s.nextUnit(&reader{b: info, steps: &steps})
		u.findInlined(places)
		return maxSteps - steps
	}
	if one, many := visited(1), visited(30); many < one+entries*30/placesPerStep/2 {
		t.Errorf("got %d steps for 30 offsets, want more than the %d for one", many, one)
	}
}

// withFileCount puts a count of directories in place of the one in a line table of version 5.
func withFileCount(line, count []byte) []byte {
	const directoriesFormat = 4 + 2 + 2 + 4 + 6 + 12
	b := append([]byte(nil), line[:directoriesFormat+3]...)
	return append(append(b, count...), line[directoriesFormat+4:]...)
}

// manyUnits returns units of version 4 with an entry of the first abbreviation.
func manyUnits(size int) []byte {
	unit := []byte{8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 1}
	var b []byte
	for len(b) < size {
		b = append(b, unit...)
	}
	return b
}

// TestDamagedSections damages sections at random places. Any result will do.
func TestDamagedSections(t *testing.T) {
	s := compile(t, inlined, "-gdwarf-5")
	random := rand.New(rand.NewSource(1))
	for range 300 {
		damaged := *s
		for _, section := range []*[]byte{&damaged.Info, &damaged.Abbrev, &damaged.Line,
			&damaged.Rnglists, &damaged.StrOffsets, &damaged.Addr, &damaged.LineStr} {
			b := append([]byte(nil), *section...)
			for range random.Intn(4) {
				if len(b) > 0 {
					b[random.Intn(len(b))] = byte(random.Int())
				}
			}
			*section = b[:len(b)-random.Intn(2)*random.Intn(len(b)+1)]
		}
		damaged.Lines([]uint64{10, 60, 90})
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte{1, 0x11, 0, 0x10, 0x17, 0x11, 1, 0x12, 6, 0, 0, 0},
		[]byte{20, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 1, 0, 0, 0, 99, 0, 0, 0},
		[]byte{41, 0, 0, 0, 4, 0, 22, 0, 0, 0, 1, 1, 1, 0, 1, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1,
			0, 'a', 0, 0, 0, 0, 0, 0, 5, 2, 1, 0, 0, 0, 20, 20, 0, 1, 1}, []byte("other"))
	f.Fuzz(func(t *testing.T, abbrev, info, line, rest []byte) {
		s := Sections{Info: info, Abbrev: abbrev, Line: line, Str: rest, LineStr: rest,
			Ranges: rest, Rnglists: rest, Addr: rest, StrOffsets: rest}
		for _, lines := range s.Lines([]uint64{1, 2, 50}) {
			if len(lines) > maxInlined+1 {
				t.Errorf("got %d lines, want at most %d", len(lines), maxInlined+1)
			}
		}
	})
}
