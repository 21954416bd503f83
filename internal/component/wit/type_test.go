package wit

import (
	"strings"
	"testing"
)

func mustType(t *testing.T, s *Scope, text string) *Type {
	t.Helper()
	typ, err := s.Type(text)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestEqualComparesStructureAndResources(t *testing.T) {
	s, other := newScope(t, wasi), newScope(t, wasi)
	for _, row := range layouts {
		a, b := mustType(t, s, row.text), mustType(t, other, row.text)
		handles := strings.Contains(row.text, "stream") || strings.Contains(row.text, "<error>")
		if got := Equal(a, b); got == handles {
			t.Errorf("%s of two scopes: got %v, want %v", row.text, got, !handles)
		}
		if !Equal(a, mustType(t, s, row.text)) {
			t.Errorf("%s of one scope: got false, want true", row.text)
		}
	}
	// Each type differs from all others.
	for i, row := range layouts {
		for _, col := range layouts[:i] {
			a, b := mustType(t, s, row.text), mustType(t, s, col.text)
			same := a.kind == KindU64 && b.kind == KindU64 ||
				a.kind == KindOwn && b.kind == KindOwn && a.resource == b.resource
			if got := Equal(a, b); got != same {
				t.Errorf("%s, %s: got %v, want %v", row.text, col.text, got, same)
			}
		}
	}
}

func TestEqualComparesLabels(t *testing.T) {
	define := func(text string) *Type { return newScope(t, text).Lookup("t") }
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{"record t { a: u8, b: u8 }", "record t { a: u8, b: u8 }", true},
		{"record t { a: u8, b: u8 }", "record t { b: u8, a: u8 }", false},
		{"record t { a: u8, b: u8 }", "type t = tuple<u8, u8>;", false},
		{"variant t { a(u8), b }", "variant t { a(u8), b(u8) }", false},
		{"variant t { a, b }", "enum t { a, b }", false},
		{"enum t { a, b }", "enum t { a, c }", false},
		{"flags t { a, b }", "flags t { a, b, c }", false},
		{"type t = result<u8>;", "type t = result<_, u8>;", false},
	} {
		if got := Equal(define(row.a), define(row.b)); got != row.want {
			t.Errorf("%s, %s: got %v, want %v", row.a, row.b, got, row.want)
		}
	}
	s := newScope(t, "")
	f, _ := s.Func("(a: u8) -> u8")
	for _, text := range []string{"(b: u8) -> u8", "(a: u8)", "(a: u8, b: u8) -> u8",
		"(a: u16) -> u8", "() -> u8"} {
		if g, _ := s.Func(text); EqualFunc(f, g) {
			t.Errorf("%s equals %s", f, g)
		}
	}
}

// doubled returns a type with 2^n parts of which n differ.
func doubled(t *testing.T, n int) *Type {
	t.Helper()
	typ := U8
	for range n {
		var err error
		if typ, err = Tuple(typ, typ); err != nil {
			t.Fatal(err)
		}
	}
	return typ
}

func TestTypesThatShareParts(t *testing.T) {
	// 2^18 parts: whether each is visited shows in the time that a thousand comparisons take.
	a, b := doubled(t, 18), doubled(t, 18)
	var c comparer
	for range 1000 {
		if !c.equal(a, b) {
			t.Fatal("got false, want true")
		}
		if a.HasBorrow() || a.HasPointer() {
			t.Fatal("got a borrow or pointer in numbers")
		}
		if s := NewSubstitution(nil); s.Type(a) != a {
			t.Fatal("got another type without resources")
		}
	}
	if got := a.String(); len(got) > maxPrinted+len("…") || !strings.HasSuffix(got, "…") {
		t.Errorf("got %d bytes of text, want at most %d and …", len(got), maxPrinted)
	}
}

func TestLimitsOfTypes(t *testing.T) {
	deep := U8
	for range MaxDepth - 1 {
		var err error
		if deep, err = List(deep); err != nil {
			t.Fatal(err)
		}
	}
	large := doubled(t, 18)
	tooMany := make([]Field, MaxFields+1)
	for i := range tooMany {
		tooMany[i] = Field{Name: "a", Type: U8}
	}
	wide := func(typ *Type) []*Type {
		types := make([]*Type, MaxFields)
		for i := range types {
			types[i] = typ
		}
		return types
	}
	kilo, err := Tuple(wide(U64)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		make func() (*Type, error)
		want string
	}{
		{"depth", func() (*Type, error) { return Option(deep) }, "deeper than 100"},
		{"fields", func() (*Type, error) { return Record(tooMany) }, "1001 fields"},
		{"cases", func() (*Type, error) { return Variant(tooMany) }, "1001 cases"},
		{"no cases", func() (*Type, error) { return Variant(nil) }, "0 cases"},
		{"no types", func() (*Type, error) { return Tuple() }, "0 fields"},
		{"flags", func() (*Type, error) { return Flags(make([]string, 33)) }, "33 labels"},
		{"no flags", func() (*Type, error) { return Flags(nil) }, "0 labels"},
		{"nodes", func() (*Type, error) { return Tuple(large, large, large) }, "1000000 types"},
		{"wide nodes", func() (*Type, error) { return Tuple(wide(kilo)...) }, "1000000 types"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := row.make(); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got error %v, want one with %q", err, row.want)
			}
		})
	}
}

func TestSizesDoNotWrap(t *testing.T) {
	// No type within MaxNodes reaches MaxSize, so the sizes are claimed here.
	half := &Type{kind: KindTuple, size: 1 << 27, align: 8, nodes: 1, depth: 1}
	for _, n := range []int{2, 31, 32, 33, 1000} {
		types := make([]*Type, n)
		for i := range types {
			types[i] = half
		}
		if _, err := Tuple(types...); err == nil || !strings.Contains(err.Error(), "memory") {
			t.Errorf("%d × 128 MiB: got error %v, want one of memory", n, err)
		}
	}
	if _, err := Option(&Type{kind: KindTuple, size: MaxSize, align: 8}); err == nil {
		t.Error("an option of the greatest size: got no error")
	}
}

func TestSubstitution(t *testing.T) {
	s := newScope(t, wasi)
	ours := &Resource{Name: "error", Instance: 3}
	sub := NewSubstitution(map[*Resource]*Resource{s.Resource("error"): ours})
	f, err := s.Func("(self: borrow<input-stream>) -> result<list<u8>, stream-error>")
	if err != nil {
		t.Fatal(err)
	}
	g := sub.Func(f)
	if EqualFunc(f, g) || f.String() != g.String() {
		t.Errorf("got %s equal, want other resources in the same text", g)
	}
	if g.Params[0].Type != f.Params[0].Type || g.Result.Ok() != f.Result.Ok() {
		t.Error("parts without the resource were copied")
	}
	if got := g.Result.Err().Case(0).Resource(); got != ours {
		t.Errorf("got resource %v, want %v", got, ours)
	}
	if got := f.Result.Err().Case(0).Resource(); got != s.Resource("error") {
		t.Errorf("the original: got resource %v, want %v", got, s.Resource("error"))
	}
	if sub.Func(f).Result != g.Result {
		t.Error("the same type was made twice")
	}
	plain, _ := s.Func("(a: u8) -> string")
	if sub.Func(plain) != plain {
		t.Error("a function without resources was copied")
	}
}

func TestHasBorrow(t *testing.T) {
	s := newScope(t, wasi)
	for text, want := range map[string]bool{
		"u8": false, "input-stream": false, "borrow<error>": true,
		"result<list<borrow<error>>, u8>":             true,
		"result<_, option<tuple<u8, borrow<error>>>>": true,
		"outgoing-datagram":                           false,
	} {
		if got := mustType(t, s, text).HasBorrow(); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}
