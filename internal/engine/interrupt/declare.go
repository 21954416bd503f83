package interrupt

import (
	"math"
	"slices"
)

// importSection rewrites the imports: it renames those of overloaded functions, and adds those of
// the host's functions.
func (w *rewriter) importSection(r *reader) {
	n := r.count(4)
	if n > maxImports {
		r.malformed("%d imports are more than %d", n, maxImports)
	}
	start := r.pos
	var renamed []renamedImport
	modules := make(map[string]struct{})
	for range n {
		module := r.name()
		if module == Module {
			r.malformed("reserved import module")
		}
		if modules[module] = struct{}{}; len(modules) > maxImportModules {
			r.malformed("imports from more than %d modules", maxImportModules)
		}
		nameAt := r.pos
		name := r.name()
		nameEnd := r.pos
		typ, isFunction := w.importDesc(r)
		if r.err != nil {
			return
		}
		if isFunction && w.o.Overloaded != nil && w.o.Overloaded(module, name) {
			renamed = append(renamed, renamedImport{nameAt, nameEnd, overloadName(name, typ)})
		}
	}
	w.numImportedFuncs = len(w.funcTypes)
	added := w.addedFunctions()
	w.addedImports = uint32(len(added))
	w.writeU32(uint32(n) + w.addedImports)
	for _, i := range renamed {
		w.out = append(w.out, r.b[start:i.start]...)
		w.out = appendName(w.out, i.name)
		start = i.end
	}
	w.copySince(r, start)
	for _, f := range added {
		w.out = appendName(w.out, Module)
		w.out = appendName(w.out, f.name)
		w.out = append(w.out, 0)
		w.writeU32(w.addedTypeIndex(f.typ))
	}
}

// importDesc reads the description of an import. It returns the type index of a function.
func (w *rewriter) importDesc(r *reader) (typ uint32, isFunction bool) {
	switch kind := r.byte(); kind {
	case 0:
		typ = r.index("type", uint32(len(w.types)))
		w.funcTypes = append(w.funcTypes, typ)
		return typ, true
	case 1:
		w.numTables++
		checkValueType(r, r.byte())
		_, maximum := readTableLimits(r)
		w.maxTableEntries = append(w.maxTableEntries, maximum)
	case 2:
		w.readMemoryType(r)
		w.memory.Imported = true
	case 3:
		w.numGlobals++
		w.globalSizes = append(w.globalSizes, readGlobalType(r))
	case 4:
		r.fail(ErrUnsupported, "exceptions (a tag)")
	default:
		r.malformed("import of kind %d", kind)
	}
	return 0, false
}

// addedFunction is a function that is imported from Module.
type addedFunction struct {
	name string
	typ  addedType
}

// addedFunctions lists the functions that the options call for, and notes their indices.
func (w *rewriter) addedFunctions() []addedFunction {
	list := []addedFunction{{Tick, typeResult}, {Stack, typeVoid}}
	add := func(f ...addedFunction) (index uint32) {
		index = uint32(w.numImportedFuncs + len(list))
		list = append(list, f...)
		return index
	}
	if w.o.Stack > 0 {
		w.deepenImport = add(addedFunction{Deepen, typeUnary})
	}
	if w.o.Charge {
		w.chargeImport = add(addedFunction{Charge, typeBinary})
	}
	if w.o.Atomics && w.memory.Shared {
		w.firstAtomicImport = add(addedFunction{Notify, typeNotify},
			addedFunction{Wait32, typeWait32}, addedFunction{Wait64, typeWait64})
	}
	return list
}

// readMemoryType reads the type of a memory. A module has at most one.
func (w *rewriter) readMemoryType(r *reader) {
	flag := r.byte()
	switch {
	case flag == 2:
		r.malformed("shared memory without a maximum")
	case flag >= 4 && flag < 8:
		r.fail(ErrUnsupported, "memory with addresses of 64 bits")
	case flag > 3:
		r.fail(ErrUnsupported, "memory of form %#x", flag)
	}
	if w.numMemories++; w.numMemories > 1 {
		r.fail(ErrUnsupported, "second memory")
	}
	minPages, maximum := r.u32(), uint32(maxPages)
	if flag&1 != 0 {
		maximum = r.u32()
	}
	if minPages > maximum || maximum > maxPages {
		r.malformed("memory of %d to %d pages", minPages, maximum)
	}
	w.memory = Memory{Min: uint64(minPages) * pageSize, Max: uint64(maximum) * pageSize,
		Shared: flag&2 != 0}
}

// readTableLimits reads the limits of a table, in entries.
func readTableLimits(r *reader) (minEntries, maximum uint32) {
	flag := r.byte()
	if flag > 1 {
		r.fail(ErrUnsupported, "table of form %#x", flag)
	}
	minEntries, maximum = r.u32(), math.MaxUint32
	if flag == 1 {
		maximum = r.u32()
	}
	if minEntries > maximum {
		r.malformed("table of %d to %d entries", minEntries, maximum)
	}
	return minEntries, maximum
}

// readGlobalType reads the type of a global, and returns the size of its value, in bytes.
func readGlobalType(r *reader) uint8 {
	t := r.byte()
	checkValueType(r, t)
	if m := r.byte(); m > 1 {
		r.malformed("mutability %d", m)
	}
	return valueSize(t)
}

func (w *rewriter) functionSection(r *reader) {
	n := r.count(1)
	start := r.pos
	w.funcTypes = slices.Grow(w.funcTypes, n)
	for range n {
		w.funcTypes = append(w.funcTypes, r.index("type", uint32(len(w.types))))
	}
	helpers := w.helperTypes()
	w.writeU32(uint32(n + len(helpers)))
	w.copySince(r, start)
	for _, t := range helpers {
		w.writeU32(w.addedTypeIndex(t))
	}
}

// tableSection lowers the maxima of the tables, so that together they grow to no more than
// maxEntries. wazero allocates the entries of a table, 8 bytes each, when it grows.
func (w *rewriter) tableSection(r *reader) {
	type tableType struct {
		elemType         byte
		minimum, maximum uint32
	}
	tables := make([]tableType, r.count(3))
	growthLeft := int64(maxEntries)
	for i := range tables {
		t := &tables[i]
		t.elemType = r.byte()
		checkValueType(r, t.elemType)
		t.minimum, t.maximum = readTableLimits(r)
		growthLeft -= int64(t.minimum)
	}
	if growthLeft < 0 {
		r.malformed("tables of more than %d entries", maxEntries)
	}
	w.numTables += uint32(len(tables))
	w.writeU32(uint32(len(tables)))
	for _, t := range tables {
		w.out = append(w.out, t.elemType, 1)
		w.writeU32(t.minimum)
		share := int64(t.minimum) + growthLeft/int64(len(tables))
		maximum := uint32(min(int64(t.maximum), share))
		w.writeU32(maximum)
		w.maxTableEntries = append(w.maxTableEntries, maximum)
		w.instanceSize += tableSize + entrySize*uint64(t.minimum)
	}
}

// memorySection copies the memory's type. readOwnMemory has read it already.
func (w *rewriter) memorySection(r *reader) { w.copyRest(r) }

func (w *rewriter) exportSection(r *reader) {
	n := r.count(3)
	w.writeU32(uint32(n))
	for range n {
		start := r.pos
		r.name()
		kind := r.byte()
		w.copySince(r, start)
		switch kind {
		case 0:
			w.copyFuncIndex(r)
		case 1:
			w.writeU32(r.index("table", w.numTables))
		case 2:
			w.writeU32(r.index("memory", w.numMemories))
		case 3:
			w.writeU32(r.index("global", w.numGlobals))
		default:
			r.malformed("export of kind %d", kind)
		}
		if r.err != nil {
			return
		}
	}
}

func (w *rewriter) startSection(r *reader) { w.copyFuncIndex(r) }
