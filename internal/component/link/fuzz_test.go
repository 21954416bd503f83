package link

import (
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/wasi2"
)

// FuzzPlan plans arbitrary components: an error, or a program that names nothing before it is made,
// in bounded memory, and never a panic.
func FuzzPlan(f *testing.F) {
	for _, b := range fixtures(f) {
		f.Add(b)
	}
	for _, tt := range slices.Concat(invalid, typesOfInstances) {
		f.Add(tt.b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := binary.Decode(b)
		if err != nil {
			return
		}
		p, err := Plan(c, emptyWorld{}, true)
		answered, err2 := Plan(c, wasi2.World{}, true)
		runtime.ReadMemStats(&after)
		n, limit := after.TotalAlloc-before.TotalAlloc, 128*uint64(len(b))+32<<20
		if n > limit {
			t.Errorf("got %d bytes allocated for %d, want at most %d", n, len(b), limit)
		}
		if err == nil {
			checkProgram(t, p)
		}
		if err2 == nil {
			checkProgram(t, answered)
		}
	})
}

// checkProgram checks that each step of a program names only things of earlier steps.
func checkProgram(t *testing.T, p *Program) {
	t.Helper()
	m := &made{t: t, Program: p, modules: make([]*binary.Module, len(p.Modules))}
	for i, x := range p.Modules {
		var err error
		if m.modules[i], err = binary.DecodeModule(x.Binary, 0); err != nil {
			t.Fatalf("module %d: %v", i, err)
		}
	}
	for _, s := range p.Steps {
		switch s.Kind {
		case StepCore:
			m.core(s.Index)
			m.cores++
		case StepHost:
			m.host(&p.Hosts[s.Index])
			m.hosts++
		case StepFunc:
			l := &p.Funcs[s.Index]
			m.own(&l.Func)
			m.options(&l.Options)
			m.funcs++
		case StepResource:
			m.own(p.Resources[s.Index].Destructor)
		}
	}
	if m.cores != len(p.Cores) || m.hosts != len(p.Hosts) || m.funcs != len(p.Funcs) {
		t.Errorf("got %d core instances, %d host functions, %d functions, want %d, %d, %d", m.cores,
			m.hosts, m.funcs, len(p.Cores), len(p.Hosts), len(p.Funcs))
	}
	if p.Run >= len(p.Funcs) {
		t.Errorf("got run %d, want one of %d functions", p.Run, len(p.Funcs))
	}
}

// made is how much of a program is made already.
type made struct {
	t *testing.T
	*Program
	modules             []*binary.Module
	cores, hosts, funcs int
}

func (m *made) core(index int) {
	if index != m.cores {
		m.t.Errorf("got a step for core instance %d, want %d", index, m.cores)
	}
	for _, i := range m.modules[m.Cores[index].Module].Imports {
		x := CoreItem{Core: -1, Name: i.Name}
		number := &x.Host
		if i.Module != HostModule {
			number, i.Name = &x.Core, i.Module
		}
		var err error
		if *number, err = strconv.Atoi(i.Name); err != nil {
			m.t.Errorf("got an import of %q %q, want one of a number", i.Module, i.Name)
		}
		m.item(&x)
		// A guest must not reach the globals of answers: with the first it would be told that all
		// is well with any handle.
		if m.answers(&x) && i.Desc[0] != kindFunc {
			m.t.Errorf("got an import of %q from answers that is no function", i.Name)
		}
	}
}

func (m *made) host(h *Host) {
	m.options(&h.Options)
	switch h.Kind {
	case HostImport, HostMissing:
		if h.Import < 0 || h.Import >= len(m.Imports) || h.Type == nil {
			m.t.Errorf("got import %d, want one of %d, with a type", h.Import, len(m.Imports))
		}
	case HostLifted:
		if h.Lifted < 0 || h.Lifted >= m.funcs || h.Type == nil {
			m.t.Errorf("got function %d lowered, want one of %d", h.Lifted, m.funcs)
		}
	default:
		if h.Resource < 0 || h.Resource >= len(m.Resources) {
			m.t.Errorf("got resource %d, want one of %d", h.Resource, len(m.Resources))
		}
	}
}

func (m *made) options(o *Options) {
	m.own(o.Memory)
	m.own(o.Realloc)
	m.own(o.PostReturn)
}

// own is item for one that is the component's own.
func (m *made) own(x *CoreItem) {
	m.item(x)
	if x != nil && m.answers(x) {
		m.t.Errorf("got %q of answers, want an item of the component", x.Name)
	}
}

// answers reports whether an item is of a module of the planner's own.
func (m *made) answers(x *CoreItem) bool {
	return x.Core >= 0 && x.Core < m.cores && m.Modules[m.Cores[x.Core].Module].Answers
}

// item checks that a core item, if there is one, comes from an instance with such an export, or is
// a function of the host.
func (m *made) item(x *CoreItem) {
	if x == nil {
		return
	}
	if x.Core < 0 {
		if x.Host < 0 || x.Host >= m.hosts {
			m.t.Errorf("got host function %d, want one of %d", x.Host, m.hosts)
		}
		return
	}
	if x.Core >= m.cores {
		m.t.Errorf("got core instance %d, want one of %d", x.Core, m.cores)
		return
	}
	for _, e := range m.modules[m.Cores[x.Core].Module].Exports {
		if e.Name == x.Name {
			return
		}
	}
	m.t.Errorf("got the export %q of core instance %d, which has none", x.Name, x.Core)
}
