package link

import (
	"strconv"

	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// freeBytes is how many bytes the rewritten modules of any program may have.
const freeBytes = 1 << 20

// A moduleKey tells modules apart that are compiled apart.
type moduleKey struct {
	module  *module
	imports string
}

// coreInstantiate makes a core instance. Its imports are renamed to their origins.
func (c *component) coreInstantiate(d *binary.CoreInstantiate) error {
	if len(c.Cores)-c.numAnswers == maxCores {
		return binary.Errorf(binary.TooMuch, d.At(), "more than %d core instances", maxCores)
	}
	args := make(map[string]*coreInstance, len(d.Args))
	for _, a := range d.Args {
		args[a.Name] = c.coreInstances[a.Index]
	}
	m := c.coreModules[d.Module]
	origins := make([]CoreItem, len(m.Imports))
	for i, x := range m.Imports {
		origins[i] = args[x.Module].get(x.Name)
	}
	if err := c.answer(origins, d.At()); err != nil {
		return err
	}
	index, err := c.module(m, origins, d.At())
	if err != nil {
		return err
	}
	c.Cores = append(c.Cores, Core{index, c.index})
	c.coreInstances = append(c.coreInstances, &coreInstance{core: len(c.Cores) - 1})
	return c.step(StepCore, len(c.Cores)-1, d.At())
}

// module returns the index of a module with imports of these origins.
func (p *planner) module(m *module, origins []CoreItem, offset int) (int, error) {
	size := len(m.bytes)
	for _, o := range origins {
		size += len(o.Name)
	}
	if size > p.leftBytes {
		return 0, binary.Errorf(binary.TooMuch, offset,
			"core modules are instantiated too often with different imports")
	}
	section := importSection(m.Imports, origins)
	key := moduleKey{m, string(section)}
	if index, ok := p.modules[key]; ok {
		return index, nil
	}
	if len(p.Modules)-p.numAnswers == maxModules {
		return 0, binary.Errorf(binary.TooMuch, offset, "more than %d core modules", maxModules)
	}
	rewritten := replaceSection(m, section)
	p.leftBytes -= len(rewritten)
	p.modules[key] = len(p.Modules)
	p.Modules = append(p.Modules, Module{Binary: rewritten, Number: m.number, Name: m.name,
		Code: m.Code, Memories: m.Memories})
	return len(p.Modules) - 1, nil
}

// importSection returns the body of an import section that names origins.
func importSection(imports []binary.CoreImport, origins []CoreItem) []byte {
	b := appendU32(nil, uint32(len(imports)))
	for i, x := range imports {
		o := origins[i]
		if o.Core >= 0 {
			b = appendName(appendName(b, CoreModuleName(o.Core)), o.Name)
		} else {
			b = appendName(appendName(b, HostModule), strconv.Itoa(o.Host))
		}
		b = append(b, x.Desc...)
	}
	return b
}

// replaceSection returns a module with another body of its import section.
func replaceSection(m *module, body []byte) []byte {
	from, to := m.ImportSection[0], m.ImportSection[1]
	if to == 0 {
		return m.bytes
	}
	const importID = 2
	b := make([]byte, 0, len(m.bytes)+len(body)-(to-from)+6)
	b = append(append(b, m.bytes[:from]...), importID)
	b = append(appendU32(b, uint32(len(body))), body...)
	return append(b, m.bytes[to:]...)
}

func appendName(b []byte, s string) []byte {
	return append(appendU32(b, uint32(len(s))), s...)
}

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func (c *component) coreExports(d *binary.CoreExports) error {
	if err := c.expand(len(d.Exports), d.At()); err != nil {
		return err
	}
	i := &coreInstance{core: -1, items: make(map[string]CoreItem, len(d.Exports))}
	for _, x := range d.Exports {
		switch x.Sort {
		case binary.CoreFuncSort:
			i.items[x.Name] = c.coreFuncs[x.Index]
		case binary.CoreTableSort:
			i.items[x.Name] = c.coreTables[x.Index]
		case binary.CoreMemorySort:
			i.items[x.Name] = c.coreMemories[x.Index]
		case binary.CoreGlobalSort:
			i.items[x.Name] = c.coreGlobals[x.Index]
		}
	}
	c.coreInstances = append(c.coreInstances, i)
	return nil
}

// define adds a resource type that the component defines.
func (c *component) define(d *binary.ResourceType, abstract *wit.Resource, offset int) error {
	r := Resource{Type: &wit.Resource{Name: abstract.Name, Instance: c.index + 1},
		Component: c.index}
	if d.Destructor >= 0 {
		destructor := c.coreFuncs[d.Destructor]
		r.Destructor = &destructor
	}
	c.concrete[abstract] = r.Type
	return c.step(StepResource, c.addResource(r), offset)
}

func (p *planner) addResource(r Resource) int {
	p.resources[r.Type] = len(p.Resources)
	p.Resources = append(p.Resources, r)
	return len(p.Resources) - 1
}

// canon adds a function to the program.
func (c *component) canon(d *binary.Canon, fact *canonFact) error {
	o := Options{Encoding: d.Options.Encoding}
	for _, x := range []struct {
		index int64
		space []CoreItem
		item  **CoreItem
	}{
		{d.Options.Memory, c.coreMemories, &o.Memory},
		{d.Options.Realloc, c.coreFuncs, &o.Realloc},
		{d.Options.PostReturn, c.coreFuncs, &o.PostReturn},
	} {
		if x.index >= 0 {
			item := x.space[x.index]
			*x.item = &item
		}
	}
	if d.Kind == binary.Lift {
		c.Funcs = append(c.Funcs, Lifted{Component: c.index, Func: c.coreFuncs[d.Func],
			Type: c.substitution.Func(fact.fn), Options: o})
		c.funcs = append(c.funcs, &function{lifted: len(c.Funcs) - 1, imports: -1})
		return c.step(StepFunc, len(c.Funcs)-1, d.At())
	}
	h := Host{Component: c.index, Core: fact.core, Options: o, Import: -1, Lifted: -1,
		Resource: -1}
	switch d.Kind {
	case binary.Lower:
		h.Type = c.substitution.Func(fact.fn)
		c.lower(&h, c.funcs[d.Func])
	case binary.ResourceNew:
		h.Kind = HostResourceNew
	case binary.ResourceDrop:
		h.Kind = HostResourceDrop
	case binary.ResourceRep:
		h.Kind = HostResourceRep
	}
	if fact.resource != nil {
		h.Resource = c.planner.resources[c.concrete[fact.resource]]
	}
	c.Hosts = append(c.Hosts, h)
	c.coreFuncs = append(c.coreFuncs, CoreItem{Core: -1, Host: len(c.Hosts) - 1})
	c.canAnswer(len(c.Hosts) - 1)
	return c.step(StepHost, len(c.Hosts)-1, d.At())
}

// lower fills in the callee of a function of the host.
func (c *component) lower(h *Host, f *function) {
	if f.lifted >= 0 {
		h.Kind, h.Lifted = HostLifted, f.lifted
		return
	}
	i := &c.Imports[f.imports]
	h.Kind, h.Import, h.Func = HostImport, f.imports, i.Func
	h.Interface, _ = splitVersion(i.Interface)
	if i.Err != "" {
		h.Kind = HostMissing
	}
}
