package interrupt

import "slices"

// module assembles a module from its sections.
func module(sections ...[]byte) []byte {
	return slices.Concat(append([][]byte{header}, sections...)...)
}

// section assembles a section that is a vector of items.
func section(id byte, items ...[]byte) []byte {
	return rawSection(id, slices.Concat(appendU32(nil, uint32(len(items))),
		slices.Concat(items...)))
}

func rawSection(id byte, content []byte) []byte {
	return slices.Concat([]byte{id}, appendU32(nil, uint32(len(content))), content)
}

func customSection(name string, content ...byte) []byte {
	return rawSection(secCustom, append(appendName(nil, name), content...))
}

func signature(params, results string) []byte {
	types := map[rune]byte{'i': typeI32, 'l': typeI64, 'f': 0x7d, 'd': 0x7c, 'v': 0x7b, 'r': 0x70,
		'x': 0x6f}
	b := []byte{0x60}
	for _, list := range []string{params, results} {
		b = appendU32(b, uint32(len(list)))
		for _, c := range list {
			b = append(b, types[c])
		}
	}
	return b
}

func exportOf(name string, kind byte, index uint32) []byte {
	return appendU32(append(appendName(nil, name), kind), index)
}

func importOf(name string, kind byte, desc ...byte) []byte {
	return slices.Concat(appendName(nil, "env"), appendName(nil, name), []byte{kind}, desc)
}

// body is a function body without locals.
func body(code ...byte) []byte { return bodyWith([]byte{0}, code...) }

func bodyWith(locals []byte, code ...byte) []byte {
	b := slices.Concat(locals, code, []byte{opEnd})
	return append(appendU32(nil, uint32(len(b))), b...)
}

func constant(v int32) []byte { return appendS32([]byte{opI32Const}, v) }

// one is a module with one function of the given type, exported as "f", a memory of 16 MiB and a
// table.
func one(params, results string, code ...byte) []byte {
	return module(
		section(secType, signature(params, results)),
		section(secFunction, []byte{0}),
		section(secTable, []byte{0x70, 0, 1}),
		section(secMemory, []byte{1, 0x80, 2, 0x80, 2}),
		section(secExport, exportOf("f", 0, 0)),
		section(secElement, slices.Concat([]byte{0}, constant(0), []byte{opEnd, 1, 0})),
		section(secCode, body(code...)),
	)
}
