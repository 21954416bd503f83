package link

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
	"github.com/wasport/wasport/internal/wasi2"
)

// emptyWorld is a host that has nothing.
type emptyWorld struct{}

func (emptyWorld) Has(string) bool                       { return false }
func (emptyWorld) Func(string, string) *wit.Func         { return nil }
func (emptyWorld) Resource(string, string) *wit.Resource { return nil }
func (emptyWorld) Type(string, string) *wit.Type         { return nil }
func (emptyWorld) Answer(string, string) (uint64, bool)  { return 0, false }

func plan(t *testing.T, b []byte, w World, trapMissing bool) (*Program, error) {
	t.Helper()
	c, err := binary.Decode(b)
	if err != nil {
		return nil, err
	}
	return Plan(c, w, trapMissing)
}

// fixtures are the components that are built from sources in this repository.
func fixtures(t testing.TB) map[string][]byte {
	paths, err := filepath.Glob("../../guests/components/*.wasm")
	if err != nil || len(paths) == 0 {
		t.Fatalf("got %d components, %v, want some", len(paths), err)
	}
	list := make(map[string][]byte)
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		list[filepath.Base(p)] = b
	}
	return list
}

// hasSource tells whether a fixture is made of a source with this suffix.
func hasSource(fixture, suffix string) bool {
	source := strings.TrimSuffix(fixture, ".wasm") + suffix
	_, err := os.Stat("../../guests/components/src/" + source)
	return err == nil
}

// TestPlanOfAnswers finds the core instance for answers where there are TCP sockets, and in it the
// origins of the functions that it answers.
func TestPlanOfAnswers(t *testing.T) {
	for name, b := range fixtures(t) {
		p, err := plan(t, b, wasi2.World{}, true)
		if err != nil {
			t.Fatal(err)
		}
		checkProgram(t, p)
		at := p.Components[0].Answers
		if want := name == "answers.wasm" || name == "block.wasm"; !want {
			if at >= 0 && !p.Modules[p.Cores[at].Module].Answers {
				t.Errorf("%s: got a module of the component for answers", name)
			}
			continue
		}
		if at < 0 || at+1 >= len(p.Cores) || len(p.Cores) != 4 || len(p.Modules) != 4 {
			t.Fatalf("%s: got answers at %d of %d core instances, want 4 with it before the last",
				name, at, len(p.Cores))
		}
		user, err := binary.DecodeModule(p.Modules[p.Cores[at+1].Module].Binary, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range user.Imports {
			host, err := strconv.Atoi(i.Name)
			if err != nil {
				continue // the table of the shim
			}
			_, answered := wasi2.World{}.Answer(p.Hosts[host].Interface, p.Hosts[host].Func)
			if got := i.Module == CoreModuleName(at); got != answered {
				t.Errorf("%s: got %s answered: %v, want %v", name, p.Hosts[host].Func, got,
					answered)
			}
		}
	}
	p, err := plan(t, fixtures(t)["calls.wasm"], wasi2.World{}, true)
	if err != nil || p.Components[0].Answers >= 0 {
		t.Errorf("got %v and answers at %d, want none without sockets", err,
			p.Components[0].Answers)
	}
}

// TestPlanOfNestedAnswers plans ten component instances that each lower check-write twice with one
// memory, and once with another. Their core modules import the functions under the name of the
// module for answers, which means nothing.
func TestPlanOfNestedAnswers(t *testing.T) {
	p, err := plan(t, fixtures(t)["answers_nested.wasm"], wasi2.World{}, true)
	if err != nil {
		t.Fatal(err)
	}
	checkProgram(t, p)
	if len(p.Components) != 11 {
		t.Fatalf("got %d component instances, want 11", len(p.Components))
	}
	for i := range p.Components {
		at := p.Components[i].Answers
		if want := i >= 1 && i <= maxAnswers; at >= 0 != want {
			t.Errorf("got answers of instance %d at %d, want one: %v", i, at, want)
		}
		if at < 0 {
			continue
		}
		if p.Cores[at].Component != i || p.Cores[at+1].Component != i {
			t.Errorf("got answers of instance %d in another one", i)
		}
		user, err := binary.DecodeModule(p.Modules[p.Cores[at+1].Module].Binary, 0)
		if err != nil {
			t.Fatal(err)
		}
		// check-write, the same with the other memory, the same again, write twice, and flush.
		for n, want := range []bool{true, false, true, false, false, true} {
			if got := user.Imports[n].Module == CoreModuleName(at); got != want {
				t.Errorf("instance %d: got import %d answered: %v, want %v", i, n, got, want)
			}
		}
	}
}

// What wit-component writes for a command: a shim, the main module, and a module that fills the
// shim's table; for a program in Rust also the adapter, which has WASI 0.2.0.
func TestPlanOfCommands(t *testing.T) {
	for name, b := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			p, err := plan(t, b, emptyWorld{}, true)
			if err != nil {
				t.Fatal(err)
			}
			modules, run := 3, "wasi:cli/run@0.2.12"
			if hasSource(name, ".rs") {
				modules, run = 4, "wasi:cli/run@0.2.0"
			}
			ofTools := !hasSource(name, ".wat") && len(p.Hosts) > 1 // The others need no shim.
			if ofTools && (len(p.Modules) != modules || len(p.Cores) != modules ||
				len(p.Components) != 2) {
				t.Errorf("got %d modules, %d core instances, %d components, want %d, %d, 2",
					len(p.Modules), len(p.Cores), len(p.Components), modules, modules)
			}
			if p.Run < 0 || p.RunName != run {
				t.Errorf("got run %d of %q, want one of %s", p.Run, p.RunName, run)
			}
			checkProgram(t, p)
			for _, h := range p.Hosts {
				if h.Kind == HostImport {
					t.Errorf("got an import of %s, want none of a host without any", h.Interface)
				}
			}
		})
	}
}

// Of several versions of wasi:cli/run the highest counts, in whatever order they are exported. What
// is no wasi:cli/run of 0.2 with the right type is no command.
func TestHighestRunCounts(t *testing.T) {
	answer := core(section(1, 1, 0x60, 0, 1, 0x7f), section(3, 1, 0), section(7, 1, "f", 0, 0),
		section(10, 1, 4, 0, 0x41, 0, 0x0b))
	lifted := func(result []byte, names ...string) []byte {
		b := join(section(1, answer), section(2, 1, 0, 0, 0), aliases(join(0, 0, 1, 0, "f")),
			types(result, join(0x40, 0, 0, 0)))
		for i, name := range names {
			b = join(b, canons(join(0, 0, 0, 0, 1)), section(5, 1, 1, 1, 0, "run", 1, i),
				exports(join(0, name, 5, 2*i, 0)))
		}
		return comp(b)
	}
	result, tuple := join(0x6a, 0, 0), join(0x6f, 1, 0x7f)
	for _, tt := range []struct {
		name string
		b    []byte
		want string // the name of the export, or nothing
	}{
		{"one", lifted(result, "wasi:cli/run@0.2.3"), "wasi:cli/run@0.2.3"},
		{"lower first", lifted(result, "wasi:cli/run@0.2.3", "wasi:cli/run@0.2.12"),
			"wasi:cli/run@0.2.12"},
		{"higher first", lifted(result, "wasi:cli/run@0.2.12", "wasi:cli/run@0.2.3"),
			"wasi:cli/run@0.2.12"},
		{"another version", lifted(result, "wasi:cli/run@0.3.0"), ""},
		{"another interface", lifted(result, "wasi:cli/go@0.2.0"), ""},
		{"another type", lifted(tuple, "wasi:cli/run@0.2.0"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := plan(t, tt.b, emptyWorld{}, false)
			if err != nil {
				t.Fatal(err)
			}
			if p.RunName != tt.want || (p.Run >= 0) != (tt.want != "") {
				t.Errorf("got run %d of %q, want that of %q", p.Run, p.RunName, tt.want)
			}
		})
	}
}
