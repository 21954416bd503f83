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
			w.funcs = append(w.funcs, typ)
			if w.o.Overloaded != nil && w.o.Overloaded(module, name) {
				renamed = append(renamed, renamedImport{nameAt, nameEnd, overloadName(name, typ)})
			}
		case 1:
			w.tables++
			checkValueType(r, r.byte())
			_, most := tableLimits(r)
			w.entries = append(w.entries, most)
		case 2:
			w.memoryType(r)
			w.memory.Imported = true
		case 3:
			w.globals++
			w.globalSizes = append(w.globalSizes, globalType(r))
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
		of   ownType
	}
	w.imported = len(w.funcs)
	ours := []function{{Tick, typeVoid}}
	if w.o.Stack > 0 {
		w.deepen = uint32(w.imported + len(ours))
		ours = append(ours, function{Deepen, typeUnary})
	}
	if w.o.Charge {
		w.charge = uint32(w.imported + len(ours))
		ours = append(ours, function{Charge, typeBinary})
	}
	if w.o.Atomics && w.memory.Shared {
		w.waits = uint32(w.imported + len(ours))
		ours = append(ours, function{Notify, typeNotify}, function{Wait32, typeWait32},
			function{Wait64, typeWait64})
	}
	w.shift = uint32(len(ours))
	w.u32(uint32(n) + w.shift)
	for _, i := range renamed {
		w.out = append(w.out, r.b[start:i.from]...)
		w.out = appendName(w.out, i.name)
		start = i.to
	}
	w.since(r, start)
	for _, f := range ours {
		w.out = appendName(w.out, Module)
		w.out = appendName(w.out, f.name)
		w.out = append(w.out, 0)
		w.u32(w.ownType(f.of))
	}
}

// memoryType reads the type of a memory, of which there is at most one.
func (w *rewriter) memoryType(r *reader) {
	flag := r.byte()
	switch {
	case flag == 2:
		r.malformed("shared memory without a maximum")
	case flag >= 4 && flag < 8:
		r.fail(ErrUnsupported, "memory with addresses of 64 bits")
	case flag > 3:
		r.fail(ErrUnsupported, "memory of form %#x", flag)
	}
	if w.memories++; w.memories > 1 {
		r.fail(ErrUnsupported, "second memory")
	}
	least, most := r.u32(), uint32(maxPages)
	if flag&1 != 0 {
		most = r.u32()
	}
	if least > most || most > maxPages {
		r.malformed("memory of %d to %d pages", least, most)
	}
	w.memory = Memory{Min: uint64(least) * pageSize, Max: uint64(most) * pageSize,
		Shared: flag&2 != 0}
}

func tableLimits(r *reader) (least, most uint32) {
	flag := r.byte()
	if flag > 1 {
		r.fail(ErrUnsupported, "table of form %#x", flag)
	}
	least, most = r.u32(), math.MaxUint32
	if flag == 1 {
		most = r.u32()
	}
	if least > most {
		r.malformed("table of %d to %d entries", least, most)
	}
	return least, most
}

// globalType reads the type of a global, and returns the size of its value.
func globalType(r *reader) uint8 {
	t := r.byte()
	checkValueType(r, t)
	if m := r.byte(); m > 1 {
		r.malformed("mutability %d", m)
	}
	return sizeOf(t)
}

func (w *rewriter) functionSection(r *reader) {
	n := r.count(1)
	start := r.pos
	w.funcs = slices.Grow(w.funcs, n)
	for range n {
		w.funcs = append(w.funcs, r.index("type", uint32(len(w.types))))
	}
	ours := w.helperTypes()
	w.u32(uint32(n + len(ours)))
	w.since(r, start)
	for _, t := range ours {
		w.u32(w.ownType(t))
	}
}

// tableSection bounds the tables: together they may grow to no more than maxEntries. An engine
// allocates a table's entries, of eight bytes each, as soon as a guest asks for them.
func (w *rewriter) tableSection(r *reader) {
	type tableType struct {
		of          byte
		least, most uint32
	}
	tables := make([]tableType, r.count(3))
	rest := int64(maxEntries)
	for i := range tables {
		t := &tables[i]
		t.of = r.byte()
		checkValueType(r, t.of)
		t.least, t.most = tableLimits(r)
		rest -= int64(t.least)
	}
	if rest < 0 {
		r.malformed("tables of more than %d entries", maxEntries)
	}
	w.tables += uint32(len(tables))
	w.u32(uint32(len(tables)))
	for _, t := range tables {
		w.out = append(w.out, t.of, 1)
		w.u32(t.least)
		most := uint32(min(int64(t.most), int64(t.least)+rest/int64(len(tables))))
		w.u32(most)
		w.entries = append(w.entries, most)
		w.instance += tableSize + entrySize*uint64(t.least)
	}
}

// memorySection copies the memory's type, which has been read before.
func (w *rewriter) memorySection(r *reader) { w.copySection(r) }

func (w *rewriter) exportSection(r *reader) {
	n := r.count(3)
	w.u32(uint32(n))
	for range n {
		start := r.pos
		r.name()
		kind := r.byte()
		w.since(r, start)
		switch kind {
		case 0:
			w.funcRef(r)
		case 1:
			w.u32(r.index("table", w.tables))
		case 2:
			w.u32(r.index("memory", w.memories))
		case 3:
			w.u32(r.index("global", w.globals))
		default:
			r.malformed("export of kind %d", kind)
		}
		if r.err != nil {
			return
		}
	}
}

func (w *rewriter) startSection(r *reader) { w.funcRef(r) }
