package interrupt

// subsecGlobal is the subsection of the name section that names globals. Source: the extended name
// section proposal of WebAssembly.
const subsecGlobal = 7

// NamedGlobal finds a global by the name that the module's name section gives it. The name says
// nothing about the global's type, nor whether it exists: the module can claim anything.
func NamedGlobal(module []byte, name string) (index uint32, ok bool) {
	r := &reader{b: module}
	r.bytes(uint32(len(header)))
	for r.more() {
		id := r.byte()
		section := &reader{b: r.bytes(r.u32())}
		if id != secCustom || section.name() != "name" {
			continue
		}
		for section.more() {
			id := section.byte()
			names := &reader{b: section.bytes(section.u32())}
			if id != subsecGlobal {
				continue
			}
			for range names.count(2) {
				i := names.u32()
				if string(names.bytes(names.u32())) == name && names.err == nil {
					return i, true
				}
			}
		}
	}
	return 0, false
}
