package interrupt

import "bytes"

// ByGo reports whether Go's compiler made a module. Go's linker writes the section go:buildid,
// which tools may strip, and names the compiler in the section producers
// (cmd/link/internal/wasm/asm.go). TinyGo's modules name the same language and another compiler.
// ByGo takes time linear in the module's size. The answer for a module that Rewrite would refuse
// means nothing.
func ByGo(module []byte) bool {
	r := &reader{b: module}
	r.bytes(uint32(len(header)))
	for r.more() {
		id := r.byte()
		s := &reader{b: r.bytes(r.u32())}
		if r.err != nil || id != secCustom {
			continue
		}
		switch s.name() {
		case "go:buildid":
			return true
		case "producers":
			if processedBy(s, "Go cmd/compile") {
				return true
			}
		}
	}
	return false
}

// processedBy reports whether a producers section names a tool. The section holds fields of a name
// and a list of values, each with a version.
// Source: WebAssembly tool conventions, ProducersSection.md.
func processedBy(r *reader, tool string) bool {
	for range r.count(2) {
		field := r.bytes(r.u32())
		for range r.count(2) {
			value := r.bytes(r.u32())
			r.bytes(r.u32()) // The version.
			if r.err != nil {
				return false
			}
			if bytes.Equal(field, []byte("processed-by")) && bytes.Equal(value, []byte(tool)) {
				return true
			}
		}
	}
	return false
}
