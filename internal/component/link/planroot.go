package link

import (
	"strconv"
	"strings"

	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// root plans the component that has no parent.
func (p *planner) root(k *checked) error {
	c, err := p.newComponent(k, -1, nil)
	if err != nil {
		return err
	}
	for _, b := range k.typ.imported {
		p.hostResource(c, b)
	}
	imports := make(map[string]item, k.typ.imports.len())
	for i, d := range k.Defs {
		if d, ok := d.(*binary.Import); ok {
			if imports[d.Name], err = c.importRoot(d, k.facts[i].(importFact)); err != nil {
				return err
			}
		}
	}
	if len(p.lacking) > 0 {
		return &ImportError{p.lacking}
	}
	if err := c.walk(imports); err != nil {
		return err
	}
	for i, name := range k.typ.exports.list {
		p.Exports = append(p.Exports, Export{name, k.typ.exports.items[i].sort})
		p.findRun(name, c.exported.items[i])
	}
	return nil
}

// splitVersion splits the name of an interface from its version.
func splitVersion(name string) (iface, version string) {
	iface, version, _ = strings.Cut(name, "@")
	return iface, version
}

// patch returns n of the version 0.2.n.
func patch(version string) (int, bool) {
	rest, ok := strings.CutPrefix(version, "0.2.")
	n, err := strconv.ParseUint(rest, 10, 31)
	return int(n), ok && err == nil
}

// hostResource finds the host's resource type for one that the root imports. One that the host does
// not have is another than any of the host's.
func (p *planner) hostResource(c *component, b bound) {
	var r *wit.Resource
	if iface, version := splitVersion(b.path.name); b.path.next != nil && b.path.next.next == nil {
		if _, ok := patch(version); ok {
			r = p.world.Resource(iface, b.path.next.name)
		}
	}
	if r == nil {
		r = &wit.Resource{Name: b.resource.Name}
	}
	c.concrete[b.resource] = r
	if _, ok := p.resources[r]; !ok {
		p.addResource(Resource{Type: r, Component: -1})
	}
}

// importRoot returns an import of the root. It notes one that the host lacks.
func (c *component) importRoot(d *binary.Import, e importFact) (item, error) {
	lack := func(l Lacking) { c.lacking = append(c.lacking, l) }
	switch t := e.typ.(type) {
	case *instanceType:
		if e.sort == binary.TypeSort {
			return nil, nil
		}
		return c.importInterface(d.Name, t, d.At())
	case *wit.Func:
		if e.sort != binary.FuncSort {
			return nil, nil
		}
		want, err := c.funcType(t, d.At())
		if err != nil {
			return nil, err
		}
		i := Import{Func: d.Name, Want: want, Err: "the host has functions in interfaces only"}
		if !c.trapMissing {
			lack(Lacking{Interface: d.Name, Want: want.String(), Reason: i.Err})
		}
		c.Imports = append(c.Imports, i)
		return &function{lifted: -1, imports: len(c.Imports) - 1}, nil
	case *wit.Resource:
		if !c.trapMissing {
			lack(Lacking{Interface: d.Name,
				Reason: "the host has resource types in interfaces only"})
		}
		return c.concrete[c.v.base(t)], nil
	case *componentType, *moduleType:
		if e.sort != binary.TypeSort {
			lack(Lacking{Interface: d.Name, Reason: e.sort.String() + "s cannot be imported"})
		}
	}
	return nil, nil
}

// page tells users which imports there are.
const page = "docs/components.md"

// whyNot says why the host does not have an interface, or nothing.
func (p *planner) whyNot(name string) string {
	iface, version := splitVersion(name)
	_, ok := patch(version)
	switch {
	case strings.HasPrefix(iface, "wasi:http/"):
		return "wasi:http is not supported, see " + page
	case p.world.Has(iface) && !ok:
		return "the host has version 0.2 of the interface"
	case !p.world.Has(iface):
		return "the host has no such interface, see " + page
	}
	return ""
}

// importInterface returns the instance of an interface of the host.
func (c *component) importInterface(
	name string, t *instanceType, offset int,
) (item, error) {
	h := &hostInterface{component: c, name: name, missing: c.whyNot(name), offset: offset}
	h.iface, _ = splitVersion(name)
	if h.missing != "" && !c.trapMissing {
		c.lacking = append(c.lacking, Lacking{Interface: name, Reason: h.missing})
	}
	i := &instance{names: t.exports.names}
	for n, item := range t.exports.list {
		x, err := h.item(item, t.exports.items[n])
		if err != nil {
			return nil, err
		}
		i.items = append(i.items, x)
	}
	return i, nil
}

// funcType returns a function type of the root with the resource types of the program.
func (c *component) funcType(f *wit.Func, offset int) (*wit.Func, error) {
	canonical, err := c.v.canonicalFunc(f, offset)
	if err != nil {
		return nil, err
	}
	return c.substitution.Func(canonical), nil
}

// findRun notes the function that makes the component a command. Of two versions of the interface
// the higher counts.
func (p *planner) findRun(name string, x item) {
	iface, version := splitVersion(name)
	n, ok := patch(version)
	i, _ := x.(*instance)
	if iface != "wasi:cli/run" || !ok || i == nil {
		return
	}
	x, _ = i.get("run")
	f, _ := x.(*function)
	if f == nil || f.lifted < 0 || !isRun(p.Funcs[f.lifted].Type) {
		return
	}
	if _, have := splitVersion(p.RunName); p.Run >= 0 {
		if before, _ := patch(have); before > n {
			return
		}
	}
	p.Run, p.RunName = f.lifted, name
}

// isRun reports whether f is func() -> result.
func isRun(f *wit.Func) bool {
	return len(f.Params) == 0 && f.Result != nil && f.Result.Kind() == wit.KindResult &&
		f.Result.Ok() == nil && f.Result.Err() == nil
}
