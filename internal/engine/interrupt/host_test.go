package interrupt

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// instantiateHost provides what rewritten modules import. Its waits are for one thread: they find another value, or time out.
func instantiateHost(t testing.TB, ctx context.Context, rt wazero.Runtime, tick func()) {
	t.Helper()
	const i32, i64 = api.ValueTypeI32, api.ValueTypeI64
	b := rt.NewHostModuleBuilder(Module)
	export := func(name string, f api.GoModuleFunc, params []api.ValueType, results ...api.ValueType) {
		b.NewFunctionBuilder().WithGoModuleFunction(f, params, results).Export(name)
	}
	export(Tick, func(context.Context, api.Module, []uint64) { tick() }, nil)
	export(Overflow, func(context.Context, api.Module, []uint64) { panic(errors.New("stack overflow")) }, nil)
	export(Notify, func(_ context.Context, m api.Module, s []uint64) {
		operand(m, s[0], s[2], 4)
		s[0] = 0
	}, []api.ValueType{i32, i32, i32}, i32)
	export(Wait32, func(_ context.Context, m api.Module, s []uint64) {
		if v := binary.LittleEndian.Uint32(operand(m, s[0], s[3], 4)); v != uint32(s[1]) {
			s[0] = 1
		} else {
			s[0] = 2
		}
	}, []api.ValueType{i32, i32, i64, i32}, i32)
	export(Wait64, func(_ context.Context, m api.Module, s []uint64) {
		if v := binary.LittleEndian.Uint64(operand(m, s[0], s[3], 8)); v != s[1] {
			s[0] = 1
		} else {
			s[0] = 2
		}
	}, []api.ValueType{i32, i64, i64, i32}, i32)
	if _, err := b.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
}

func operand(m api.Module, address, offset uint64, size uint32) []byte {
	sum := uint64(uint32(address)) + uint64(uint32(offset))
	if sum%uint64(size) != 0 {
		panic(errors.New("unaligned atomic"))
	}
	if sum > 0xffffffff {
		panic(errors.New("out of bounds memory access"))
	}
	b, ok := m.Memory().Read(uint32(sum), size)
	if !ok {
		panic(errors.New("out of bounds memory access"))
	}
	return b
}
