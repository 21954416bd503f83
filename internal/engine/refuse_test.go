package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// section is a section of a module.
func section(id byte, content ...[]byte) []byte {
	return appendBytes([]byte{id}, slices.Concat(content...))
}

func uvarint(n uint64) []byte { return binary.AppendUvarint(nil, n) }

// huge is the largest count that the binary format can encode.
var huge = uvarint(1<<32 - 1)

// functions returns the sections of count functions with the same body and no parameters.
func functions(count int, body ...[]byte) []byte {
	return slices.Concat(
		section(1, []byte("\x01\x60\x00\x00")),
		section(3, uvarint(uint64(count)), make([]byte, count)),
		section(10, uvarint(uint64(count)),
			bytes.Repeat(appendBytes(nil, slices.Concat(body...)), count)),
	)
}

// withResults is a function of type 0, with no parameters and 1000 results. Its code may call it,
// or have blocks of its type.
func withResults(code ...[]byte) []byte {
	// There are no locals. The last two instructions are unreachable and end.
	code = append(append([][]byte{{0}}, code...), []byte{0x00, 0x0b})
	return slices.Concat(
		section(1, []byte("\x01\x60\x00"), uvarint(1000), bytes.Repeat([]byte{0x7f}, 1000)),
		section(3, []byte{1, 0}),
		section(10, []byte{1}, appendBytes(nil, slices.Concat(code...))),
	)
}

// TestInvalidModuleIsRefused compiles invalid and oversized modules. The error tells the reason and
// the place. Little memory is allocated, also for a few bytes that declare much.
func TestInvalidModuleIsRefused(t *testing.T) {
	const maxAllocated = 4 << 20
	constants := bytes.Repeat([]byte{0x41, 0}, 1000)
	for _, test := range []struct {
		name, want string
		wasm       []byte
	}{
		{"nothing", "the file is empty", nil},
		{"text", "wat2wasm", []byte("(module)")},
		{"text after a comment", "wat2wasm", []byte("\n;; a comment\n(module)")},
		{"another format", "this is not WebAssembly", []byte("int main(void)")},
		{"native", "this is a native program, ", []byte("\x7fELF\x02\x01\x01\x00")},
		{"native for Windows", "this is a native program of Windows", []byte("MZ\x90\x00")},
		{"compressed", "this is compressed by gzip", []byte("\x1f\x8b\x08\x00")},
		{"compiled for iwasm", "this is a module that wamrc has compiled",
			[]byte("\x00aot\x03\x00\x00\x00")},
		{"half a header", "cut off in its first 8 bytes", empty[:6]},
		{"component of another version", "another version of the component model",
			[]byte("\x00asm\x0e\x00\x01\x00")},
		{"version 2", "version 2", []byte("\x00asm\x02\x00\x00\x00")},
		{"cut off", "of the 100 bytes of its code section there are 3, at offset 0xa",
			slices.Concat(empty, []byte{10, 100, 1, 2, 3})},
		{"cut off in a size", "unexpected end at offset 0xa",
			slices.Concat(empty, []byte{10, 0x80})},
		{"section twice", "section 1 out of place",
			slices.Concat(empty, section(1, []byte{0}), section(1, []byte{0}))},
		{"unknown instruction",
			"not supported: opcode 0x6 at offset 0x17 in function 0 in the code section",
			slices.Concat(empty, functions(1, []byte{0, 0x06, 0x0b}))},
		{"64 bits", "addresses of 64 bits at offset 0xc in the memory section",
			slices.Concat(empty, section(5, []byte{1, 4, 1}))},

		{"types", "4294967295 items are too many at offset 0xf in the type section",
			slices.Concat(empty, section(1, huge))},
		{"imports", "in the import section", slices.Concat(empty, section(2, huge))},
		{"imports that are there", "5000 imports are more than 2048", slices.Concat(empty, voidType,
			section(2, uvarint(5000), bytes.Repeat([]byte{0, 0, 0, 0}, 5000)))},
		{"modules to import from", "imports from more than 256 modules",
			slices.Concat(empty, voidType,
				section(2, uvarint(1000),
					concat(1000, func(i int) []byte { return append(nameOf(i), 0, 0, 0) })))},
		{"functions", "in the function section", slices.Concat(empty, section(3, huge))},
		{"tables", "in the table section", slices.Concat(empty, section(4, huge))},
		{"memories", "in the memory section", slices.Concat(empty, section(5, huge))},
		{"globals", "in the global section", slices.Concat(empty, section(6, huge))},
		{"globals that are there", "30000 globals are more than 20000", slices.Concat(empty,
			section(6, uvarint(30_000), bytes.Repeat([]byte{0x7f, 1, 0x41, 0, 0x0b}, 30_000)))},
		{"exports", "in the export section", slices.Concat(empty, section(7, huge))},
		{"elements", "in the element section", slices.Concat(empty, section(9, huge))},
		{"bodies", "in the code section", slices.Concat(empty, section(10, huge))},
		{"data", "in the data section", slices.Concat(empty, section(11, huge))},
		{"entries of a table", "entries",
			slices.Concat(empty, section(4, []byte{1, 0x70, 0}, huge))},
		{"pages", "memory of 4294967295 to 65536 pages",
			slices.Concat(empty, section(5, []byte{1, 0}, huge))},
		{"parameters", "too many", slices.Concat(empty, section(1, []byte{1, 0x60}, huge))},
		{"length of a name", "unexpected end",
			slices.Concat(empty, section(2, []byte{1}, huge, make([]byte, 8)))},
		{"length of a body", "body of 4294967295 bytes",
			slices.Concat(empty, section(1, []byte("\x01\x60\x00\x00")),
				section(3, []byte{1, 0}), section(10, []byte{1}, huge))},
		{"labels", "too many",
			slices.Concat(empty, functions(1, []byte{0, 0x41, 0, 0x0e}, huge, []byte{0, 0x0b}))},
		{"types of a select", "too many",
			slices.Concat(empty, functions(1, []byte{0, 0x1c}, huge, []byte{0x7f, 0x0b}))},
		{"locals", "too many locals",
			slices.Concat(empty, functions(1, []byte{1}, huge, []byte{0x7f, 0x0b}))},
		{"locals of all functions", "too many locals and values for so little code",
			slices.Concat(empty, functions(100, []byte{1}, uvarint(50_000), []byte{0x7f, 0x0b}))},
		{"results of calls", "too many locals and values",
			slices.Concat(empty, withResults(bytes.Repeat([]byte{0x10, 0}, 1000)))},
		{"results of blocks", "too many locals and values",
			slices.Concat(empty, withResults(bytes.Repeat([]byte{0x02, 0, 0x00, 0x0b}, 1000)))},
		{"values of branches", "too many locals and values",
			slices.Concat(empty,
				withResults(constants, bytes.Repeat([]byte{0x41, 0, 0x0d, 0}, 1000)))},
		{"values of a branch table", "too many locals and values",
			slices.Concat(empty,
				withResults(constants, []byte{0x41, 0, 0x0e}, uvarint(1000), make([]byte, 1001)))},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := context.Background()
			e, err := New(ctx, Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close(ctx)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m, err := e.Compile(ctx, test.wasm, CompileOptions{})
			runtime.ReadMemStats(&after)
			if err == nil {
				m.Close(ctx)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > maxAllocated {
				t.Errorf("got %d bytes allocated for a module of %d, want at most %d", n,
					len(test.wasm), maxAllocated)
			}
		})
	}
}
