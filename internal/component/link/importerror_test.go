package link

import (
	"errors"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/wit"
)

// scopes is a World of interfaces that are written in WIT.
type scopes map[string]*scopeOf

type scopeOf struct {
	wit.Scope
	funcs map[string]*wit.Func
}

func (w scopes) Has(iface string) bool { return w[iface] != nil }

func (w scopes) Func(iface, name string) *wit.Func {
	if s := w[iface]; s != nil {
		return s.funcs[name]
	}
	return nil
}

func (w scopes) Answer(string, string) (uint64, bool) { return 0, false }

func (w scopes) Resource(iface, name string) *wit.Resource {
	if s := w[iface]; s != nil {
		return s.Scope.Resource(name)
	}
	return nil
}

func (w scopes) Type(iface, name string) *wit.Type {
	if s := w[iface]; s != nil {
		return s.Lookup(name)
	}
	return nil
}

// add adds an interface with definitions and functions: name, signature and so on.
func (w scopes) add(t *testing.T, iface, definitions string, used *scopeOf, funcs ...string) {
	t.Helper()
	s := &scopeOf{funcs: make(map[string]*wit.Func)}
	if used != nil {
		if err := s.Use(&used.Scope); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Define(definitions); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(funcs); i += 2 {
		f, err := s.Scope.Func(funcs[i+1])
		if err != nil {
			t.Fatal(err)
		}
		s.funcs[funcs[i]] = f
	}
	w[iface] = s
}

func testWorld(t *testing.T) scopes {
	w := make(scopes)
	w.add(t, "wasi:io/poll", "resource pollable;", nil,
		"[method]pollable.block", "(self: borrow<pollable>)",
		"poll", "(in: list<borrow<pollable>>) -> list<u32>")
	w.add(t, "wasi:clocks/clock", "type instant = u64; enum kind { wall, monotonic }",
		w["wasi:io/poll"], "now", "() -> instant", "wait", "(until: instant) -> pollable",
		"get", "(kind: kind) -> instant")
	return w
}

// emptyInterface is a component that imports an instance of declarations.
func emptyInterface(name string, decls ...[]byte) []byte {
	return comp(types(join(0x42, len(decls), join(flat(decls)...))), imports(join(0, name, 5, 0)))
}

// funcDecls declare a function by its type, which is type n of the instance.
func funcDecls(n int, name string, typ []byte) []byte {
	return join(1, typ, 4, 0, name, 1, n)
}

func TestImportErrors(t *testing.T) {
	pollable := join(4, 0, "pollable", fresh)                        // type 0
	block := join(1, 0x68, 0, 1, 0x40, 1, "self", 1, 1, 0)           // types 1 and 2
	enum := join(1, 0x6d, 2, "wall", "solar", 4, 0, "kind", 3, 0, 0) // types 0 and 1
	for _, tt := range []struct {
		name string
		b    []byte
		want string // lines, or nothing for a program
	}{
		{"methods", interfaceOf("wasi:io/poll@0.2.3", 4, pollable, block,
			join(4, 0, "[method]pollable.block", 1, 2)), ""},
		{"another patch", interfaceOf("wasi:io/poll@0.2.999", 1, pollable), ""},
		{"a function of its parts", interfaceOf("wasi:clocks/clock@0.2.0", 2,
			funcDecls(0, "now", join(0x40, 0, 0, 0x77))), ""},
		{"a type that is not used", interfaceOf("wasi:clocks/clock@0.2.0", 2,
			join(1, 0x7d, 4, 0, "unheard-of", 3, 0, 0)), ""},

		{"http", emptyInterface("wasi:http/types@0.2.3"),
			"wasi:http/types@0.2.3: wasi:http is not supported, see docs/components.md"},
		{"unknown interface", emptyInterface("wasi:keyvalue/store@0.2.0"),
			"wasi:keyvalue/store@0.2.0: the host has no such interface, see docs/components.md"},
		{"another version", emptyInterface("wasi:io/poll@0.3.0"),
			"wasi:io/poll@0.3.0: the host has version 0.2 of the interface"},
		{"a draft of the version", emptyInterface("wasi:io/poll@0.2.0-rc-2023-11-10"),
			"wasi:io/poll@0.2.0-rc-2023-11-10: the host has version 0.2 of the interface"},
		{"no version", emptyInterface("wasi:io/poll"),
			"wasi:io/poll: the host has version 0.2 of the interface"},
		{"unknown function", interfaceOf("wasi:io/poll@0.2.3", 2, funcDecls(0, "wait", fn)),
			"wasi:io/poll@0.2.3#wait: the host has no such function in the interface; " +
				"its type is ()"},
		{"function of another type", interfaceOf("wasi:clocks/clock@0.2.0", 2,
			funcDecls(0, "now", join(0x40, 1, "zone", 0x73, 0, 0x79))),
			"wasi:clocks/clock@0.2.0#now: got () -> instant, want (zone: string) -> u32"},
		{"parameter of another name", interfaceOf("wasi:clocks/clock@0.2.0", 4, pollable,
			join(1, 0x69, 0), funcDecls(2, "wait", join(0x40, 1, "at", 0x77, 0, 1))),
			"wasi:clocks/clock@0.2.0#wait: got (until: instant) -> pollable, " +
				"want (at: u64) -> pollable"},
		{"type with other cases", interfaceOf("wasi:clocks/clock@0.2.0", 2, enum),
			"wasi:clocks/clock@0.2.0#kind: got enum { wall, monotonic }, " +
				"want enum { wall, solar }"},
		{"unknown resource", interfaceOf("wasi:io/poll@0.2.3", 1, join(4, 0, "socket", fresh)),
			"wasi:io/poll@0.2.3#socket: the host has no such resource type in the interface"},
		{"a function of the root", comp(types(fn), imports(join(0, "f", 1, 0))),
			"f: the host has functions in interfaces only; its type is ()"},
		{"a resource of the root", comp(imports(join(0, "r", fresh))),
			"r: the host has resource types in interfaces only"},
		{"a component", comp(types(join(0x41, 0)), imports(join(0, "c", 4, 0))),
			"c: components cannot be imported"},
		{"a module", comp(section(3, 1, 0x50, 0), imports(join(0, "m", 0, 0x11, 0))),
			"m: core modules cannot be imported"},
		{"an instance in an interface", interfaceOf("wasi:io/poll@0.2.3", 2,
			join(1, 0x42, 0, 4, 0, "i", 5, 0)),
			"wasi:io/poll@0.2.3#i: instances cannot be imported"},
		{"several", comp(types(join(0x42, 0), join(0x42, 2, funcDecls(0, "wait", fn))),
			imports(join(0, "wasi:http/types@0.2.3", 5, 0), join(0, "wasi:io/poll@0.2.3", 5, 1))),
			"wasi:http/types@0.2.3: wasi:http is not supported, see docs/components.md\n" +
				"wasi:io/poll@0.2.3#wait: the host has no such function in the interface; " +
				"its type is ()"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := plan(t, tt.b, testWorld(t), false)
			got := ""
			var e *ImportError
			if errors.As(err, &e) {
				var lines []string
				for _, l := range e.Lacking {
					lines = append(lines, l.String())
				}
				got = strings.Join(lines, "\n")
			} else if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// interfaceOf is emptyInterface with declarations of which several may be in a slice: n in all.
func interfaceOf(name string, n int, decls ...[]byte) []byte {
	return comp(types(join(0x42, n, join(flat(decls)...))), imports(join(0, name, 5, 0)))
}

// Two interfaces that export one resource type of the host share its handles, and so do two
// versions of an interface. A resource type of the component's own does not, whatever its name is.
func TestHostResources(t *testing.T) {
	pollable := join(4, 0, "pollable", fresh)
	b := comp(
		types(join(0x42, 1, pollable)),
		imports(join(0, "wasi:io/poll@0.2.3", 5, 0), join(0, "wasi:io/poll@0.2.12", 5, 0),
			join(0, "wasi:clocks/clock@0.2.3", 5, 0)),
		aliases(join(3, 0, 0, "pollable"), join(3, 0, 1, "pollable"), join(3, 0, 2, "pollable")),
		types(resource), exports(join(0, "pollable", 3, 4, 0)),
		canons(join(3, 1), join(3, 2), join(3, 3), join(3, 4), join(3, 5)))
	w := testWorld(t)
	p, err := plan(t, b, w, false)
	if err != nil {
		t.Fatal(err)
	}
	theirs := w.Resource("wasi:io/poll", "pollable")
	for i, h := range p.Hosts {
		r := p.Resources[h.Resource]
		if ours := i >= 3; (r.Type == theirs) == ours || (r.Component < 0) == ours {
			t.Errorf("resource.drop %d: got %+v, want the host's: %t", i, r, !ours)
		}
	}
}

// A missing function traps when it is called, if the operator wants that.
func TestTrapMissing(t *testing.T) {
	b := comp(types(join(0x42, 4, funcDecls(0, "now", join(0x40, 0, 0, 0x77)),
		funcDecls(1, "then", join(0x40, 0, 0, 0x77)))),
		imports(join(0, "wasi:clocks/clock@0.2.0", 5, 0)),
		aliases(join(1, 0, 0, "now"), join(1, 0, 0, "then")),
		canons(join(1, 0, 0, 0), join(1, 0, 1, 0)))
	p, err := plan(t, b, testWorld(t), true)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		kind HostKind
		name string
	}{{HostImport, "now"}, {HostMissing, "then"}} {
		h := p.Hosts[i]
		if h.Kind != want.kind || h.Interface != "wasi:clocks/clock" || h.Func != want.name {
			t.Errorf("got kind %d of %s %s, want kind %d of wasi:clocks/clock %s", h.Kind,
				h.Interface, h.Func, want.kind, want.name)
		}
	}
	if got := p.Imports[1].Err; got == "" {
		t.Error("got no error for a missing import, want one")
	}
}
