package link

import (
	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// Limits of a program, after components that are instantiated more than once were expanded.
const (
	maxModules    = 64
	maxCores      = 256
	maxComponents = 256
	maxSteps      = 10_000
)

// Plan validates a component and plans how to make an instance of it in a world. With trapMissing,
// functions that the world does not have become functions that trap when they are called.
//
// The error is a *binary.Error if the component is not valid or beyond a limit, and an *ImportError
// if the world lacks imports.
func Plan(c *binary.Component, w World, trapMissing bool) (*Program, error) {
	v, k, err := check(c)
	if err != nil {
		return nil, err
	}
	p := &planner{
		Program:     &Program{Run: -1},
		v:           v,
		world:       w,
		trapMissing: trapMissing,
		left:        freeNodes + min(c.Size, maxExtra),
		leftBytes:   freeBytes + 4*c.Size,
		resources:   make(map[*wit.Resource]int, len(k.typ.imported)),
		modules:     make(map[moduleKey]int),
	}
	if err := p.root(k); err != nil {
		return nil, err
	}
	return p.Program, nil
}

// A planner makes a Program.
type planner struct {
	*Program
	v           *validator
	world       World
	trapMissing bool
	lacking     []Lacking

	// left is how many definitions and items may still be expanded, and leftBytes how many bytes
	// the rewritten modules may still have.
	left, leftBytes int

	// resources are the indices in Resources.
	resources map[*wit.Resource]int
	modules   map[moduleKey]int

	// numAnswers is how many core instances, with a module each, are for answers.
	numAnswers int
}

// The values of a component's index spaces. An item is a *function, *instance, *closure, *module,
// *wit.Resource, or nil for another type.
type (
	item any

	// A function is a lifted one, or one of the host if lifted is -1.
	function struct {
		lifted  int
		imports int // in Program.Imports
	}

	// An instance has items by name.
	instance struct {
		*names
		items []item
	}

	// A closure is a component with the instance that it may refer to.
	closure struct {
		*checked
		outer *component
	}

	// A coreInstance is one of core instance number core, or of items.
	coreInstance struct {
		core  int
		items map[string]CoreItem
	}
)

func (i *instance) get(name string) (item, bool) {
	n, ok := i.index[name]
	if !ok || n >= len(i.items) {
		return nil, false
	}
	return i.items[n], true
}

func (i *coreInstance) get(name string) CoreItem {
	if i.core >= 0 {
		return CoreItem{Core: i.core, Name: name, Host: -1}
	}
	return i.items[name]
}

// A component is an instance of a component, while its definitions are walked.
type component struct {
	*planner
	*checked
	index int
	outer *component

	// concrete are the resource types of the program for those of the checked component.
	concrete     map[*wit.Resource]*wit.Resource
	substitution *wit.Substitution

	coreFuncs, coreTables, coreMemories, coreGlobals []CoreItem
	coreModules                                      []*module
	coreInstances                                    []*coreInstance
	funcs                                            []*function
	instances                                        []*instance
	components                                       []*closure
	exported                                         instance

	// answered are functions that the guest can answer, all with the same memory.
	answered []answered
}

// newComponent adds an instance of a component to the program.
func (p *planner) newComponent(k *checked, parent int, outer *component) (*component, error) {
	if len(p.Components) == maxComponents {
		return nil, binary.Errorf(binary.TooMuch, k.Offset,
			"more than %d instances of components", maxComponents)
	}
	p.Components = append(p.Components, Component{Parent: parent, Answers: -1})
	c := &component{planner: p, checked: k, index: len(p.Components) - 1, outer: outer,
		concrete: make(map[*wit.Resource]*wit.Resource, len(k.typ.imported))}
	c.substitution = wit.NewSubstitution(c.concrete)
	c.exported.names = k.typ.exports.names
	c.exported.items = make([]item, 0, k.typ.exports.len())
	return c, p.expand(len(k.Defs), k.Offset)
}

// expand charges for n definitions or items.
func (p *planner) expand(n, offset int) error {
	if p.left -= n; p.left < 0 {
		return binary.Errorf(binary.TooMuch, offset,
			"components that are instantiated more than once have too many definitions")
	}
	return nil
}

func (p *planner) step(k StepKind, index, offset int) error {
	if len(p.Steps)-p.numAnswers == maxSteps {
		return binary.Errorf(binary.TooMuch, offset, "more than %d steps of instantiation",
			maxSteps)
	}
	p.Steps = append(p.Steps, Step{k, index})
	return nil
}

// walk makes the items that the definitions define, with imports by name.
func (c *component) walk(imports map[string]item) error {
	for i, d := range c.Defs {
		if err := c.definition(d, c.facts[i], imports); err != nil {
			return err
		}
	}
	return nil
}

func (c *component) definition(
	d binary.Definition, fact any, imports map[string]item,
) error {
	switch d := d.(type) {
	case *binary.CoreModule:
		c.coreModules = append(c.coreModules, fact.(*module))
	case *binary.CoreInstantiate:
		return c.coreInstantiate(d)
	case *binary.CoreExports:
		return c.coreExports(d)
	case *binary.Component:
		c.components = append(c.components, &closure{fact.(*checked), c})
	case *binary.Instantiate:
		return c.instantiate(d, fact.(*instanceFact))
	case *binary.Exports:
		return c.exports(d, fact.(*instanceFact))
	case *binary.Alias:
		c.alias(d)
	case *binary.Type:
		if t, ok := d.Def.(*binary.ResourceType); ok {
			return c.define(t, fact.(*wit.Resource), d.At())
		}
	case *binary.Canon:
		return c.canon(d, fact.(*canonFact))
	case *binary.Import:
		c.add(d.Desc.Sort, imports[d.Name])
	case *binary.Export:
		x := c.item(d.Item, fact)
		c.exported.items = append(c.exported.items, x)
		c.add(d.Item.Sort, x)
	}
	return nil
}

// item returns an item of an index space. A resource type is that of its fact.
func (c *component) item(i binary.Item, fact any) item {
	switch i.Sort {
	case binary.CoreModuleSort:
		return c.coreModules[i.Index]
	case binary.FuncSort:
		return c.funcs[i.Index]
	case binary.ComponentSort:
		return c.components[i.Index]
	case binary.InstanceSort:
		return c.instances[i.Index]
	}
	if r, ok := fact.(*wit.Resource); ok && r != nil {
		return c.concrete[r]
	}
	return nil
}

// add adds an item to its index space. Types have none here.
func (c *component) add(s binary.Sort, x item) {
	switch s {
	case binary.CoreModuleSort:
		m, _ := x.(*module)
		c.coreModules = append(c.coreModules, m)
	case binary.FuncSort:
		f, _ := x.(*function)
		c.funcs = append(c.funcs, f)
	case binary.ComponentSort:
		k, _ := x.(*closure)
		c.components = append(c.components, k)
	case binary.InstanceSort:
		i, _ := x.(*instance)
		c.instances = append(c.instances, i)
	}
}

func (c *component) alias(a *binary.Alias) {
	switch a.Kind {
	case binary.ExportAlias:
		x, _ := c.instances[a.Index].get(a.Name)
		c.add(a.Sort, x)
	case binary.OuterAlias:
		if a.Sort == binary.TypeSort || a.Sort == binary.CoreTypeSort {
			return
		}
		outer := c
		for range a.Count {
			outer = outer.outer
		}
		c.add(a.Sort, outer.item(binary.Item{Sort: a.Sort, Index: a.Index}, nil))
	case binary.CoreExportAlias:
		x := c.coreInstances[a.Index].get(a.Name)
		switch a.Sort {
		case binary.CoreFuncSort:
			c.coreFuncs = append(c.coreFuncs, x)
		case binary.CoreTableSort:
			c.coreTables = append(c.coreTables, x)
		case binary.CoreMemorySort:
			c.coreMemories = append(c.coreMemories, x)
		case binary.CoreGlobalSort:
			c.coreGlobals = append(c.coreGlobals, x)
		}
	}
}

// instantiate makes an instance of a component in this one.
func (c *component) instantiate(d *binary.Instantiate, fact *instanceFact) error {
	if err := c.expand(len(d.Args), d.At()); err != nil {
		return err
	}
	args := make(map[string]item, len(d.Args))
	for i, a := range d.Args {
		args[a.Name] = c.item(a.Item, fact.resources[i])
	}
	k := c.components[d.Component]
	inner, err := c.newComponent(k.checked, c.index, k.outer)
	if err != nil {
		return err
	}
	for _, b := range k.typ.imported {
		inner.concrete[b.resource] = follow(args[b.path.name], b.path.next)
	}
	if err := inner.walk(args); err != nil {
		return err
	}
	c.instances = append(c.instances, &inner.exported)
	for _, b := range fact.defined {
		c.concrete[b.resource] = follow(&inner.exported, b.path)
	}
	return nil
}

// follow returns the resource type at a path.
func follow(x item, p *path) *wit.Resource {
	for ; p != nil; p = p.next {
		i, ok := x.(*instance)
		if !ok {
			return nil
		}
		x, _ = i.get(p.name)
	}
	r, _ := x.(*wit.Resource)
	return r
}

func (c *component) exports(d *binary.Exports, fact *instanceFact) error {
	if err := c.expand(len(d.Exports), d.At()); err != nil {
		return err
	}
	i := &instance{fact.exports, make([]item, 0, len(d.Exports))}
	for n, x := range d.Exports {
		i.items = append(i.items, c.item(x.Item, fact.resources[n]))
	}
	c.instances = append(c.instances, i)
	return nil
}
