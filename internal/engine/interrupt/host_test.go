package interrupt

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/futex"
)

// alone is a Sleeper that times out at once.
type alone struct{}

func (alone) Sleep(<-chan struct{}, time.Duration) error { return syscall.ETIMEDOUT }

// instantiateHost instantiates the functions that rewritten modules import. Its atomic waits are
// for one thread: they return NotEqual or TimedOut.
func instantiateHost(t testing.TB, ctx context.Context, rt wazero.Runtime, tick func()) {
	t.Helper()
	const i32, i64 = api.ValueTypeI32, api.ValueTypeI64
	b := rt.NewHostModuleBuilder(Module)
	export := func(name string, f api.GoModuleFunc, params []api.ValueType,
		results ...api.ValueType) {
		b.NewFunctionBuilder().WithGoModuleFunction(f, params, results).Export(name)
	}
	export(Tick, func(_ context.Context, _ api.Module, s []uint64) {
		s[0] = 0
		tick()
	}, nil, i32)
	export(Stack, func(context.Context, api.Module, []uint64) {}, nil)
	export(Deepen, func(context.Context, api.Module,
		[]uint64) {
		panic(errors.New("stack overflow"))
	}, []api.ValueType{i32}, i32)
	export(Charge, func(_ context.Context, _ api.Module, s []uint64) { s[0] = 1 },
		[]api.ValueType{i32, i32}, i32)

	var table futex.Table
	waiter := new(futex.Waiter)
	memory := func(m api.Module) []byte {
		b, _ := m.Memory().Read(0, m.Memory().Size())
		return b
	}
	at := func(address, offset uint64) uint64 {
		return uint64(uint32(address)) + uint64(uint32(offset))
	}
	result := func(s []uint64, r uint32, err error) {
		if err != nil {
			panic(err)
		}
		s[0] = uint64(r)
	}
	export(Notify, func(_ context.Context, m api.Module, s []uint64) {
		n, err := table.Notify(memory(m), at(s[0], s[2]), uint32(s[1]))
		result(s, n, err)
	}, []api.ValueType{i32, i32, i32}, i32)
	export(Wait32, func(_ context.Context, m api.Module, s []uint64) {
		r, err := table.Wait32(waiter, alone{}, memory(m), at(s[0], s[3]), uint32(s[1]),
			int64(s[2]))
		result(s, uint32(r), err)
	}, []api.ValueType{i32, i32, i64, i32}, i32)
	export(Wait64, func(_ context.Context, m api.Module, s []uint64) {
		r, err := table.Wait64(waiter, alone{}, memory(m), at(s[0], s[3]), s[1], int64(s[2]))
		result(s, uint32(r), err)
	}, []api.ValueType{i32, i64, i64, i32}, i32)
	if _, err := b.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
}
