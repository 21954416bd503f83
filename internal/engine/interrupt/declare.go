package interrupt

import (
	"math"
	"slices"
)

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
		switch kind := r.byte(); kind {
		case 0:
			typ := r.index("type", uint32(len(w.types)))
			w.funcTypes = append(w.funcTypes, typ)
			if w.o.Overloaded != nil && w.o.Overloaded(module, name) {
				renamed = append(renamed, renamedImport{nameAt, nameEnd, overloadName(name, typ)})
			}
		case 1:
			w.numTables++
			checkValueType(r, r.byte())
			_, maxEntries := readTableLimits(r)
			w.maxTableEntries = append(w.maxTableEntries, maxEntries)
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
		if r.err != nil {
			return
		}
	}
	type function struct {
		name string
		typ  addedType
	}
	w.numImportedFuncs = len(w.funcTypes)
	added := []function{{Tick, typeVoid}}
	if w.o.Stack > 0 {
		w.deepenImport = uint32(w.numImportedFuncs + len(added))
		added = append(added, function{Deepen, typeUnary})
	}
	if w.o.Charge {
		w.chargeImport = uint32(w.numImportedFuncs + len(added))
		added = append(added, function{Charge, typeBinary})
	}
	if w.o.Atomics && w.memory.Shared {
		w.firstAtomicImport = uint32(w.numImportedFuncs + len(added))
		added = append(added, function{Notify, typeNotify}, function{Wait32, typeWait32},
			function{Wait64, typeWait64})
	}
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

// readMemoryType reads the type of a memory, of which there is at most one.
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

// readGlobalType reads the type of a global, and returns the size of its value.
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

// tableSection bounds the tables: together they may grow to no more than maxEntries. An engine
// allocates a table's entries, of eight bytes each, as soon as a guest asks for them.
func (w *rewriter) tableSection(r *reader) {
	type tableType struct {
		elemType               byte
		minEntries, maxEntries uint32
	}
	tables := make([]tableType, r.count(3))
	growthLeft := int64(maxEntries)
	for i := range tables {
		t := &tables[i]
		t.elemType = r.byte()
		checkValueType(r, t.elemType)
		t.minEntries, t.maxEntries = readTableLimits(r)
		growthLeft -= int64(t.minEntries)
	}
	if growthLeft < 0 {
		r.malformed("tables of more than %d entries", maxEntries)
	}
	w.numTables += uint32(len(tables))
	w.writeU32(uint32(len(tables)))
	for _, t := range tables {
		w.out = append(w.out, t.elemType, 1)
		w.writeU32(t.minEntries)
		maxEntries := uint32(min(int64(t.maxEntries), int64(t.minEntries)+growthLeft/int64(len(tables))))
		w.writeU32(maxEntries)
		w.maxTableEntries = append(w.maxTableEntries, maxEntries)
		w.instanceSize += tableSize + entrySize*uint64(t.minEntries)
	}
}

// memorySection copies the memory's type, which has been read before.
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
