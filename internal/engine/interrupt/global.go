package interrupt

// subsecGlobal is the id of the name section's subsection for globals. Source: the extended name
// section proposal.
const subsecGlobal = 7

// NamedGlobal returns the index of the global with a name in the module's name section. It reports
// false if there is none. A module can name any index, so that the caller has to check that the
// global exists, and its type.
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
