package interrupt

import "bytes"

// ByGo reports whether Go's compiler made a module: its linker writes a section with the build's
// identity, which tools may strip, and names the compiler in the section of producers, as
// cmd/link/internal/wasm/asm.go has it. TinyGo's modules name the language there too, and another
// compiler. It takes time linear in the module's size; of a module that Rewrite would refuse, the
// answer is of no meaning.
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

// processedBy looks for a tool in a section of producers: fields of a name and a list of values,
// each with its version. Source: WebAssembly tool conventions, ProducersSection.md.
func processedBy(r *reader, tool string) bool {
	for range r.count(2) {
		field := r.bytes(r.u32())
		for range r.count(2) {
			value := r.bytes(r.u32())
			r.bytes(r.u32()) // its version
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
