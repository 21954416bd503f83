package link

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/binary"
)

// numbered are n items that a function makes, each with a short name of its own.
func numbered(n int, item func(name string) []byte) []byte {
	var b []byte
	for i := range n {
		b = append(b, item(fmt.Sprintf("n%x", i))...)
	}
	return b
}

// doubled are n types, each a tuple of the one before it twice. The first is a type.
func doubled(n int, first []byte) []byte {
	list := [][]byte{first}
	for i := range n {
		list = append(list, join(0x6f, 2, uint32(i), uint32(i)))
	}
	return types(list...)
}

// doubledComponents are components in each other: the innermost has sections, and each other has
// twice as many instances as the one within.
func doubledComponents(n int, innermost ...[]byte) []byte {
	b := comp(innermost...)
	for range n {
		b = comp(section(4, b), section(5, 2, 0, 0, 0, 0, 0, 0))
	}
	return b
}

// hostile are components that reach a limit each, with a part of the error, or none if they are
// just large.
var hostile = []struct {
	name string
	b    func() []byte
	text string
}{
	{"types", func() []byte {
		return comp(section(7, uint32(50_000),
			bytes.Repeat(join(0x70, 0x7d), 50_000)))
	}, ""},
	{"imports", func() []byte {
		return comp(section(10, uint32(20_000),
			numbered(20_000, func(name string) []byte { return join(0, name, fresh) })))
	}, ""},
	{"exports", func() []byte {
		return comp(imports(join(0, "r", fresh)),
			section(11, uint32(19_999), numbered(19_999, func(name string) []byte {
				return join(0, name, 3, 0, 0)
			})))
	}, ""},
	{"items of instances", func() []byte {
		return comp(imports(join(0, "r", fresh)),
			section(5, 1, 1, uint32(19_999), numbered(19_999, func(name string) []byte {
				return join(0, name, 3, 0)
			})))
	}, ""},
	{"size of a type", func() []byte { return comp(doubled(28, join(0x6f, 1, 0x7d))) },
		"more than 1000000 types"},
	{"depth of a type", func() []byte {
		b := join(0x70, 0x7d)
		for i := range 100 {
			b = append(b, join(0x70, i&0x7f|0x80, i>>7)...)
		}
		return comp(section(7, 101, b))
	}, "nests types deeper than 100"},
	{"parameters in memory", func() []byte {
		return comp(doubled(18, join(0x6f, 1, 0x77)),
			types(join(0x40, uint32(200), many("p", 200, 18), 1, 0)))
	}, "the parameters of a function"},
	{"component instances", func() []byte { return doubledComponents(8) },
		"more than 256 instances of components"},
	{"core instances", func() []byte {
		return comp(section(1, core()),
			section(2, uint32(257), bytes.Repeat(join(0, 0, 0), 257)))
	},
		"more than 256 core instances"},
	{"core modules", func() []byte {
		return comp(slices.Concat(slices.Repeat([][]byte{section(1, core())}, 65))...,
		)
	}, ""},
	{"core modules that are instantiated", func() []byte {
		var instances []byte
		for i := range 65 {
			instances = append(instances, join(0, i, 0)...)
		}
		return comp(join(bytes.Repeat(section(1, core()), 65)), section(2, 65, instances))
	}, "more than 64 core modules"},
	{"steps", func() []byte {
		return comp(types(resource), section(8, uint32(20_000),
			bytes.Repeat(join(3, 0), 20_000)))
	}, "more than 10000 steps"},
	{"definitions after expansion", func() []byte {
		inner := section(6, uint32(20_000), bytes.Repeat(join(0, 0x11, 2, 1, 0), 20_000))
		b := comp(section(1, core()), section(4, comp(inner)),
			section(5, 100, bytes.Repeat(join(0, 0, 0), 100)))
		return b
	}, "have too many definitions"},
	{"bytes of core modules", func() []byte {
		big := core(section(1, 1, 0x60, 0, 0), section(2, 1, "", "x", 0, 0),
			section(0, "big", make([]byte, 1<<20)))
		var instances []byte
		for i := range 20 {
			instances = append(instances, join(1, 1, "x", 0, i, 0, 1, 1, "", 0x12, 2*i+1)...)
		}
		alias := bytes.Repeat(join(0, 0, 1, 0, "x"), 20)
		for i := range 20 {
			alias[i*6+5] = byte('a' + i)
		}
		return comp(section(1, manyExports(20)), section(1, big), section(2, 1, 0, 0, 0),
			section(6, 20, alias), section(2, 40, instances))
	}, "instantiated too often with different imports"},
	{"types that are made of others", func() []byte {
		return comp(types(join(0x42, uint32(2+200), manyTypes(100))),
			section(10, uint32(1000), numbered(1000, func(name string) []byte {
				return join(0, name, 5, 0)
			})))
	}, "types that are made of others are too many"},
	{"comparisons", func() []byte {
		return comp(doubled(18, join(0x6f, 1, 0x7d)), types(typeFn(18)),
			imports(join(0, "f", 1, 19)), section(4, comp(doubled(18, join(0x6f, 1, 0x7d)),
				types(typeFn(18)), imports(join(0, "f", 1, 19)))),
			section(5, uint32(200), bytes.Repeat(join(0, 0, 1, "f", 1, 0), 200)))
	}, "types take too long to compare"},
}

// manyExports is a core module that exports a function as a, b and so on.
func manyExports(n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, join(string(rune('a'+i)), 0, 0)...)
	}
	return core(section(1, 1, 0x60, 0, 0), section(3, 1, 0), section(7, n, b),
		section(10, 1, 2, 0, 0x0b))
}

// manyTypes declares a resource type, a handle of it, and n types made of handles, each exported.
func manyTypes(n int) []byte {
	b := join(4, 0, "r", 3, 1, 1, 0x69, 0)
	for i := range n {
		b = append(b, join(1, 0x70, uint32(1), 4, 0, fmt.Sprintf("t%d", i), 3, 0,
			uint32(2+2*i))...)
	}
	return b
}

// Hostile components end in an error about a limit, or in a program, within the bounds of memory.
func TestHostile(t *testing.T) {
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.b()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := plan(t, b, emptyWorld{}, true)
			runtime.ReadMemStats(&after)
			n, limit := after.TotalAlloc-before.TotalAlloc, 64*uint64(len(b))+16<<20
			if n > limit {
				t.Errorf("got %d bytes allocated for %d, want at most %d", n, len(b), limit)
			}
			var e *binary.Error
			switch {
			case tt.text == "" && err != nil:
				t.Errorf("got %v, want a program", err)
			case tt.text != "" && (!errors.As(err, &e) || e.Kind != binary.TooMuch ||
				!strings.Contains(err.Error(), tt.text)):
				t.Errorf("got %v, want an error about the limit %q", err, tt.text)
			}
		})
	}
}
