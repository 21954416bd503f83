package link

import (
	"slices"
	"strings"

	"github.com/wasport/wasport/internal/component/binary"
)

// coreModule decodes a core module. Its fact is the *module.
func (v *validator) coreModule(
	s *scope, c *binary.Component, d *binary.CoreModule,
) (any, error) {
	m, err := binary.DecodeModule(d.Bytes, d.At())
	if err != nil {
		return nil, mismatch(err, "core module %d", v.modules)
	}
	mod := &module{Module: m, bytes: d.Bytes, number: v.modules,
		name: c.ModuleNames[uint32(len(s.coreModules))]}
	v.modules++
	t := &moduleType{imports: m.Imports, exports: make(coreExports, len(m.Exports)), module: mod}
	for i := range m.Exports {
		t.exports[m.Exports[i].Name] = &m.Exports[i].Extern
	}
	s.coreModules = append(s.coreModules, t)
	return mod, checkImports(m.Imports, d.At())
}

// checkImports refuses two imports of one name, which nothing in a component could tell apart.
func checkImports(imports []binary.CoreImport, offset int) error {
	seen := make(map[[2]string]struct{}, len(imports))
	for _, i := range imports {
		key := [2]string{i.Module, i.Name}
		if _, ok := seen[key]; ok {
			return binary.Errorf(binary.Invalid, offset, "a core module imports %q %q twice",
				i.Module, i.Name)
		}
		seen[key] = struct{}{}
	}
	return nil
}

func (v *validator) coreInstantiate(s *scope, d *binary.CoreInstantiate) error {
	m, err := at(s.coreModules, d.Module, binary.CoreModuleSort, d.At())
	if err != nil {
		return err
	}
	args := make(map[string]coreExports, len(d.Args))
	for _, a := range d.Args {
		i, err := at(s.coreInstances, a.Index, a.Sort, d.At())
		if err != nil {
			return err
		}
		if _, ok := args[a.Name]; ok {
			return binary.Errorf(binary.Invalid, d.At(), "two arguments are named %q", a.Name)
		}
		args[a.Name] = i
	}
	if err := v.look(len(m.imports), d.At()); err != nil {
		return err
	}
	for _, i := range m.imports {
		have, ok := args[i.Module][i.Name]
		if !ok {
			return binary.Errorf(binary.Invalid, d.At(),
				"the core module's import %q %q is not supplied", i.Module, i.Name)
		}
		if err := subExtern(have, &i.Extern, d.At()); err != nil {
			return mismatch(err, "the core module's import %q %q", i.Module, i.Name)
		}
	}
	s.coreInstances = append(s.coreInstances, m.exports)
	return nil
}

func (v *validator) coreExports(s *scope, d *binary.CoreExports) error {
	exports := make(coreExports, len(d.Exports))
	for _, x := range d.Exports {
		var e *binary.CoreExtern
		var err error
		switch x.Sort {
		case binary.CoreFuncSort:
			var f *binary.CoreFuncType
			f, err = at(s.coreFuncs, x.Index, x.Sort, d.At())
			e = &binary.CoreExtern{Kind: binary.CoreFunc, Func: f}
		case binary.CoreTableSort:
			e, err = at(s.coreTables, x.Index, x.Sort, d.At())
		case binary.CoreMemorySort:
			e, err = at(s.coreMemories, x.Index, x.Sort, d.At())
		case binary.CoreGlobalSort:
			e, err = at(s.coreGlobals, x.Index, x.Sort, d.At())
		}
		if err != nil {
			return err
		}
		if _, ok := exports[x.Name]; ok {
			return binary.Errorf(binary.Invalid, d.At(), "two exports are named %q", x.Name)
		}
		exports[x.Name] = e
	}
	s.coreInstances = append(s.coreInstances, exports)
	return nil
}

func (v *validator) aliasCore(s *scope, a *binary.Alias) error {
	i, err := at(s.coreInstances, a.Index, binary.CoreInstanceSort, a.At())
	if err != nil {
		return err
	}
	e, ok := i[a.Name]
	if !ok || binary.Sort(e.Kind) != a.Sort {
		return binary.Errorf(binary.Invalid, a.At(), "core instance %d has no export %q of the "+
			"sort %q", a.Index, a.Name, a.Sort)
	}
	switch a.Sort {
	case binary.CoreFuncSort:
		s.coreFuncs = append(s.coreFuncs, e.Func)
	case binary.CoreTableSort:
		s.coreTables = append(s.coreTables, e)
	case binary.CoreMemorySort:
		s.coreMemories = append(s.coreMemories, e)
	case binary.CoreGlobalSort:
		s.coreGlobals = append(s.coreGlobals, e)
	}
	return nil
}

// coreType returns the *binary.CoreFuncType or *moduleType that a definition defines.
func (v *validator) coreType(s *scope, d *binary.CoreType) (any, error) {
	m, ok := d.Def.(*binary.CoreModuleType)
	if !ok {
		return d.Def, nil
	}
	t := &moduleType{exports: make(coreExports)}
	var types []*binary.CoreFuncType
	for i := range m.Decls {
		decl := &m.Decls[i]
		x := &decl.Extern
		switch decl.Kind {
		case binary.CoreTypeDecl:
			types = append(types, decl.Type)
			continue
		case binary.CoreAliasDecl:
			f, err := outerCoreType(s, types, decl)
			if err != nil {
				return nil, err
			}
			types = append(types, f)
			continue
		}
		if x.Kind == binary.CoreFunc {
			var err error
			if x.Func, err = at(types, decl.Index, binary.CoreTypeSort, decl.At()); err != nil {
				return nil, err
			}
		}
		if decl.Kind == binary.CoreImportDecl {
			t.imports = append(t.imports,
				binary.CoreImport{Module: decl.Module, Name: decl.Name, Extern: *x})
			continue
		}
		if _, ok := t.exports[decl.Name]; ok {
			return nil, binary.Errorf(binary.Invalid, decl.At(), "two exports are named %q",
				decl.Name)
		}
		t.exports[decl.Name] = x
	}
	return t, checkImports(t.imports, d.At())
}

// outerCoreType returns the type that an alias in the type of a core module leads to. 0 scopes
// outwards is that type itself.
func outerCoreType(
	s *scope, types []*binary.CoreFuncType, d *binary.CoreDecl,
) (*binary.CoreFuncType, error) {
	if d.Count == 0 {
		return at(types, d.Index, binary.CoreTypeSort, d.At())
	}
	target, _, err := s.enclosing(d.Count-1, d.At())
	if err != nil {
		return nil, err
	}
	t, err := at(target.coreTypes, d.Index, binary.CoreTypeSort, d.At())
	f, ok := t.(*binary.CoreFuncType)
	if err == nil && !ok {
		err = binary.Errorf(binary.Invalid, d.At(), "core type %d is no type of functions",
			d.Index)
	}
	return f, err
}

// subModule checks that a module of type a can stand for one of type b.
func subModule(a, b *moduleType, offset int) error {
	given := make(map[[2]string]*binary.CoreExtern, len(b.imports))
	for i := range b.imports {
		given[[2]string{b.imports[i].Module, b.imports[i].Name}] = &b.imports[i].Extern
	}
	for _, i := range a.imports {
		have, ok := given[[2]string{i.Module, i.Name}]
		if !ok {
			return binary.Errorf(binary.Invalid, offset, "import %q %q is missing",
				i.Module, i.Name)
		}
		if err := subExtern(have, &i.Extern, offset); err != nil {
			return mismatch(err, "import %q %q", i.Module, i.Name)
		}
	}
	for name, want := range b.exports {
		have, ok := a.exports[name]
		if !ok {
			return binary.Errorf(binary.Invalid, offset, "export %q is missing", name)
		}
		if err := subExtern(have, want, offset); err != nil {
			return mismatch(err, "export %q", name)
		}
	}
	return nil
}

// subExtern checks that a can be imported as b.
// Source: WebAssembly Core Specification 2.0, section 4.5.3.
func subExtern(a, b *binary.CoreExtern, offset int) error {
	ok := a.Kind == b.Kind
	switch {
	case !ok:
		return binary.Errorf(binary.Invalid, offset, "got a %s, want a %s", a.Kind, b.Kind)
	case a.Kind == binary.CoreFunc:
		if !equalCore(a.Func, b.Func) {
			return binary.Errorf(binary.Invalid, offset, "got the type %s, want %s",
				coreSignature(a.Func), coreSignature(b.Func))
		}
		return nil
	case a.Kind == binary.CoreGlobal:
		ok = a.Value == b.Value && a.Mutable == b.Mutable
	default:
		ok = a.Value == b.Value && a.Shared == b.Shared && a.Min >= b.Min &&
			(b.Max < 0 || a.Max >= 0 && a.Max <= b.Max)
	}
	if !ok {
		return binary.Errorf(binary.Invalid, offset, "the two %ss are of different types", a.Kind)
	}
	return nil
}

func equalCore(f, g *binary.CoreFuncType) bool {
	return slices.Equal(f.Params, g.Params) && slices.Equal(f.Results, g.Results)
}

// coreSignature spells a core type, such as "(i32 i32) -> (i32)".
func coreSignature(f *binary.CoreFuncType) string {
	list := func(values []binary.CoreValue) string {
		var words []string
		for _, v := range values {
			words = append(words, v.String())
		}
		return "(" + strings.Join(words, " ") + ")"
	}
	return list(f.Params) + " -> " + list(f.Results)
}
