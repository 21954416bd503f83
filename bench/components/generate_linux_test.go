package components

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/wasport/wasport/internal/component/binary/binarytest"
)

var (
	join    = binarytest.Bytes
	section = binarytest.Section
	vector  = binarytest.Vector
)

// generated is how many generated components are judged.
const generated = 20_000

// TestValidityOfGenerated compares the judgement of wasmtime on components of types, imports,
// exports, aliases and instances at random. More of these are valid than of the mutations, and they
// combine what no compiler does.
func TestValidityOfGenerated(t *testing.T) {
	j := newJudge(t)
	g := &generator{random: rand.New(rand.NewPCG(*seed, 0))}
	valid := 0
	for i := range generated {
		g.names = 0
		b := g.component(nil)
		err, theirs := ours(b), j.ask(t, binarytest.Component(section(4, b)))
		if theirs == "" {
			valid++
		}
		if (err == nil) != (theirs == "") && !isUnfinished(theirs) && !onPurpose(err) {
			t.Errorf("seed %d, component %d: got %v, want %q: %x", *seed, i, err, theirs, b)
		}
	}
	t.Logf("%d of %d generated components are valid", valid, generated)
}

// The sorts of items, and the kinds of types, as descriptions of imports and exports have them.
const (
	sortFunc      = 1
	sortType      = 3
	sortComponent = 4
	sortInstance  = 5

	kindFunc      = sortFunc
	kindValue     = 2
	kindResource  = 3
	kindComponent = sortComponent
	kindInstance  = sortInstance
)

// A space counts what a component, or the type of one or of an instance, has. Kinds of types that
// are exports of instances are guesses.
type space struct {
	outer *space

	// tag is that of a type, or 0 in a component.
	tag int

	types                        []int
	funcs, instances, components int
}

func (s *space) add(sort, kind int) {
	switch sort {
	case sortFunc:
		s.funcs++
	case sortType:
		s.types = append(s.types, kind)
	case sortComponent:
		s.components++
	case sortInstance:
		s.instances++
	}
}

func (s *space) count(sort int) int {
	switch sort {
	case sortFunc:
		return s.funcs
	case sortType:
		return len(s.types)
	case sortComponent:
		return s.components
	}
	return s.instances
}

// kindOf returns the kind of an item, if it is a type.
func (s *space) kindOf(sort, i int) int {
	if sort == sortType {
		return s.types[i]
	}
	return 0
}

// A generator makes components.
type generator struct {
	random       *rand.Rand
	depth, names int
}

// one returns one of a list.
func (g *generator) one(list ...int) int { return list[g.random.IntN(len(list))] }

// export returns a name that may have been used before, or a new one.
func (g *generator) export() string {
	if g.random.IntN(3) > 0 {
		return string(rune('p' + g.random.IntN(10)))
	}
	g.names++
	return fmt.Sprintf("n%d", g.names)
}

// typ returns the index of a type of a kind, -1 without one.
func (g *generator) typ(s *space, kind int) int {
	var list []int
	for i, k := range s.types {
		if k == kind {
			list = append(list, i)
		}
	}
	if list == nil {
		return -1
	}
	return g.one(g.one(list...), list[len(list)-1])
}

// item returns the sort and index of something that there is, -1 without one.
func (g *generator) item(s *space) (sort, index int) {
	sort = g.one(sortFunc, sortType, sortType, sortInstance, sortComponent)
	if n := s.count(sort); n > 0 {
		return sort, g.random.IntN(n)
	}
	return sort, -1
}

func (g *generator) value(s *space) int {
	if i := g.typ(s, kindValue); i >= 0 && g.random.IntN(4) > 0 {
		return i
	}
	return 0x7d // u8
}

// define returns the definition of a type, which it adds.
func (g *generator) define(s *space) []byte {
	b, kind := g.definition(s)
	s.add(sortType, kind)
	return b
}

func (g *generator) definition(s *space) (b []byte, kind int) {
	switch g.random.IntN(13) {
	case 0:
		return join(0x72, 1, "a", g.value(s)), kindValue // a record
	case 1:
		return join(0x6d, 1, "a"), kindValue // an enum
	case 2:
		return join(0x6f, 1, g.value(s)), kindValue // a tuple
	case 3:
		return join(0x71, 1, "a", 1, g.value(s), 0), kindValue // a variant
	case 4, 5:
		if r := g.typ(s, kindResource); r >= 0 {
			return join(g.one(0x68, 0x69), r), kindValue // a handle
		}
	case 6:
		if s.tag == 0 {
			return join(0x3f, 0x7f, 0), kindResource
		}
	case 7, 8:
		return join(0x40, 1, "a", g.value(s), 1, 0), kindFunc
	case 9:
		return join(0x40, 0, 0, g.value(s)), kindFunc
	case 10, 11:
		if g.depth < 3 {
			return g.scope(s, 0x42), kindInstance
		}
	case 12:
		if g.depth < 3 {
			return g.scope(s, 0x41), kindComponent
		}
	}
	return join(0x70, g.value(s)), kindValue // a list
}

// scope returns the type of instances or of components.
func (g *generator) scope(outer *space, tag int) []byte {
	g.depth++
	defer func() { g.depth-- }()
	s, n := &space{outer: outer, tag: tag}, 1+g.random.IntN(6)
	b := join(tag, n)
	for range n {
		b = append(b, g.declaration(s)...)
	}
	return b
}

func (g *generator) declaration(s *space) []byte {
	switch g.random.IntN(8) {
	case 0, 1, 2:
		return join(1, g.define(s))
	case 3:
		if b := g.alias(s); b != nil {
			return join(2, b)
		}
	case 4:
		if s.tag == 0x41 {
			return join(3, g.named(s))
		}
	}
	return join(4, g.named(s))
}

// named returns an import, or an export in a type, which it adds.
func (g *generator) named(s *space) []byte {
	b, sort, kind := g.description(s)
	s.add(sort, kind)
	return join(0, g.export(), b)
}

// description returns that of an import or export, with its sort and its kind if it is a type.
func (g *generator) description(s *space) (b []byte, sort, kind int) {
	switch kind := g.one(kindFunc, kindInstance, kindComponent, kindValue, 0, 0); kind {
	case 0:
		if n := len(s.types); n > 0 {
			i := g.random.IntN(n)
			return join(sortType, 0, i), sortType, s.types[i]
		}
	case kindValue:
		if i := g.typ(s, kindValue); i >= 0 {
			return join(sortType, 0, i), sortType, kindValue
		}
	default:
		if i := g.typ(s, kind); i >= 0 {
			return join(kind, i), kind, 0
		}
	}
	return join(sortType, 1), sortType, kindResource
}

// alias returns an alias, nil if there is nothing for one.
func (g *generator) alias(s *space) []byte {
	if s.instances > 0 && g.random.IntN(3) > 0 {
		sort := g.one(sortType, sortType, sortFunc, sortInstance)
		s.add(sort, g.one(kindValue, kindResource, kindFunc, kindInstance))
		return join(sort, 0, g.random.IntN(s.instances), string(rune('p'+g.random.IntN(10))))
	}
	if s.outer == nil || len(s.outer.types) == 0 {
		return nil
	}
	i := g.random.IntN(len(s.outer.types))
	s.add(sortType, s.outer.types[i])
	return join(sortType, 2, 1, i)
}

// component returns a component.
func (g *generator) component(outer *space) []byte {
	g.depth++
	defer func() { g.depth-- }()
	s := &space{outer: outer}
	var sections [][]byte
	for range 3 + g.random.IntN(9) {
		sections = append(sections, g.section(s))
	}
	return binarytest.Component(sections...)
}

// section returns a section with one definition, or nothing.
func (g *generator) section(s *space) []byte {
	switch g.random.IntN(12) {
	case 0:
		if b := g.alias(s); b != nil {
			return vector(6, b)
		}
	case 1, 2, 3:
		return vector(10, g.named(s))
	case 4, 5:
		if sort, i := g.item(s); i >= 0 {
			ascribed := join(0)
			if g.random.IntN(5) == 0 {
				b, _, _ := g.description(s)
				ascribed = join(1, b)
			}
			s.add(sort, s.kindOf(sort, i))
			return vector(11, join(0, g.export(), sort, i, ascribed))
		}
	case 6:
		n, b := g.items(s, 3, 0)
		s.instances++
		return section(5, 1, 1, n, b)
	case 7:
		if s.components > 0 {
			n, b := g.items(s, 10)
			s.instances++
			return section(5, 1, 0, g.random.IntN(s.components), n, b)
		}
	case 8:
		if g.depth < 3 {
			b := g.component(s)
			s.components++
			return section(4, b)
		}
	}
	return vector(7, g.define(s))
}

// items returns up to n items with names, and how many: exports of an instance, or arguments, with
// the parts before each name.
func (g *generator) items(s *space, n int, before ...any) (count int, b []byte) {
	for range n {
		if sort, i := g.item(s); i >= 0 && g.random.IntN(3) > 0 {
			count++
			b = append(b, join(join(before...), g.export(), sort, i)...)
		}
	}
	return count, b
}
