//go:build amd64 || arm64

// Elsewhere wazero interprets. Its interpreter checks alignment before bounds, and a process of 32
// bits adds addresses in 32 bits.

package interrupt

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// An atomicAccess is an instruction of the threads proposal that touches memory.
type atomicAccess struct {
	opcode          byte
	size            uint64 // Of the access, in bytes.
	params, results string
}

// atomicAccesses lists all of them. Each operation has seven widths.
// Source: threads proposal, section "Encoding".
func atomicAccesses() []atomicAccess {
	// notify, wait32, wait64
	list := []atomicAccess{{0, 4, "ii", "i"}, {1, 4, "iil", "i"}, {2, 8, "ill", "i"}}
	widths := []struct {
		of   string
		size uint64
	}{{"i", 4}, {"l", 8}, {"i", 1}, {"i", 2}, {"l", 1}, {"l", 2}, {"l", 4}}
	opcode := byte(0x10)
	group := func(operands int, result bool) {
		for _, w := range widths {
			a := atomicAccess{opcode: opcode, size: w.size, params: "i"}
			for range operands {
				a.params += w.of
			}
			if result {
				a.results = w.of
			}
			list = append(list, a)
			opcode++
		}
	}
	group(0, true)  // load
	group(1, false) // store
	for range 6 {   // add, sub, and, or, xor, xchg
		group(1, true)
	}
	group(2, true) // cmpxchg
	return list
}

// module has a memory of a page, a pattern in it, and a function for each access with each static
// offset.
func (a atomicAccess) module(shared byte, offsets []uint32) []byte {
	var types, exports, bodies [][]byte
	for i, offset := range offsets {
		code := []byte{opAtomic, 3, 0} // atomic.fence
		for p := range a.params {
			code = append(code, opLocalGet, byte(p))
		}
		align := byte(0)
		for 1<<align < a.size {
			align++
		}
		code = appendU32(append(code, opAtomic, a.opcode, align), offset)
		types = append(types, []byte{0})
		exports = append(exports, exportOf(fmt.Sprintf("%#x", offset), 0, uint32(i)))
		bodies = append(bodies, body(code...))
	}
	pattern := make([]byte, pageSize)
	for i := range pattern {
		pattern[i] = byte(i*7 + i>>8)
	}
	return module(
		section(secType, signature(a.params, a.results)),
		section(secFunction, types...),
		section(secMemory, []byte{1 | shared, 1, 1}),
		section(secExport, append(exports, exportOf("memory", 2, 0))...),
		section(secCode, bodies...),
		section(secData, slices.Concat([]byte{0}, constant(0), []byte{opEnd},
			appendU32(nil, pageSize), pattern)),
	)
}

// TestAtomicsAfterRewriting compares every atomic instruction with its rewritten form, at valid,
// unaligned and out-of-bounds addresses.
func TestAtomicsAfterRewriting(t *testing.T) {
	const end = pageSize
	offsets := []uint32{0, 4, 8, end - 8, end, 0xfffffff8, 0xffffffff}
	addresses := []uint64{0, 1, 2, 4, 8, 12, end - 8, end - 4, end - 2, end - 1, end, end + 1,
		end + 4, end + 8, 0xfffffff0, 0xfffffff8, 0xffffffff}
	list := atomicAccesses()
	if last := list[len(list)-1].opcode; last != 0x4e {
		t.Fatalf("got %#x as the last opcode, want 0x4e", last)
	}
	ctx := context.Background()
	for _, shared := range []byte{0, 2} {
		for _, a := range list {
			wasm := a.module(shared, offsets)
			var instances [2]api.Module
			for i, wasm := range [][]byte{wasm, rewrite(t, wasm, limited)} {
				rt := wazero.NewRuntimeWithConfig(ctx,
					wazero.NewRuntimeConfig().WithCoreFeatures(features))
				defer rt.Close(ctx)
				instantiateHost(t, ctx, rt, func() {})
				var err error
				if instances[i], err = rt.Instantiate(ctx, wasm); err != nil {
					t.Fatalf("opcode %#x: got %v, want no error", a.opcode, err)
				}
			}
			traps := 0
			for _, offset := range offsets {
				for _, address := range addresses {
					for _, args := range a.arguments(instances[0], address+uint64(offset)) {
						args[0] = address
						var results [2]string
						var memory [2][]byte
						for i, m := range instances {
							r, err := m.ExportedFunction(fmt.Sprintf("%#x", offset)).Call(ctx,
								args...)
							if results[i] = fmt.Sprint(r); err != nil {
								results[i] = trap(err)
							}
							memory[i], _ = m.Memory().Read(0, pageSize)
						}
						if results[0] != results[1] {
							t.Errorf("opcode %#x, offset %#x, %#x (shared: %d): got %s, want %s",
								a.opcode, offset, args, shared, results[1], results[0])
						}
						if !bytes.Equal(memory[0], memory[1]) {
							t.Fatalf("opcode %#x, offset %#x, %#x: got another memory than "+
								"without rewriting, want the same", a.opcode, offset, args)
						}
						if results[0] == "unaligned atomic" {
							traps++
						}
					}
				}
			}
			if unaligned := traps > 0; unaligned != (a.size > 1) {
				t.Errorf("opcode %#x of %d bytes: got %d traps of alignment, want them if %v",
					a.opcode, a.size, traps, a.size > 1)
			}
		}
	}
}

// arguments returns operands for an access. The first list compares with the number in memory, the
// second with another.
func (a atomicAccess) arguments(m api.Module, at uint64) (list [][]uint64) {
	var there uint64
	if b, ok := m.Memory().Read(uint32(at), uint32(a.size)); ok && at < pageSize {
		for i, v := range b {
			there |= uint64(v) << (8 * i)
		}
	}
	for _, second := range []uint64{there, 0x0123456789abcdef} {
		args := []uint64{0, second, 1}[:len(a.params)] // The timeout of a wait is 1 ns.
		for i, of := range a.params {
			if of == 'i' {
				args[i] = uint64(uint32(args[i]))
			}
		}
		list = append(list, args)
	}
	return list
}
