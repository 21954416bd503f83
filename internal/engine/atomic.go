package engine

import (
	"context"
	"syscall"

	"github.com/tetratelabs/wazero/api"
)

// These host functions replace the instructions memory.atomic.notify, memory.atomic.wait32 and
// memory.atomic.wait64. Package interrupt describes their operands.

// atomicWait names the waits in the states of threads.
var atomicWait = "memory.atomic.wait"

func atomicNotify(ctx context.Context, mod api.Module, s []uint64) {
	t := callingThread(ctx)
	n, err := t.inst.futexes.Notify(t.Memory(mod), effectiveAddress(s[0], s[2]), uint32(s[1]))
	s[0] = t.checkedResult(uint64(n), err)
}

func atomicWait32(ctx context.Context, mod api.Module, s []uint64) {
	t := callingThread(ctx)
	addr := effectiveAddress(s[0], s[3])
	t.EnterCall(&atomicWait)
	r, err := t.inst.futexes.Wait32(&t.waiter, t, t.Memory(mod), addr, uint32(s[1]), int64(s[2]))
	t.LeaveCall()
	s[0] = t.checkedResult(uint64(r), err)
}

func atomicWait64(ctx context.Context, mod api.Module, s []uint64) {
	t := callingThread(ctx)
	addr := effectiveAddress(s[0], s[3])
	t.EnterCall(&atomicWait)
	r, err := t.inst.futexes.Wait64(&t.waiter, t, t.Memory(mod), addr, s[1], int64(s[2]))
	t.LeaveCall()
	s[0] = t.checkedResult(uint64(r), err)
}

// effectiveAddress adds the static offset of an instruction to its operand. The sum does not wrap
// (WebAssembly Core Specification 2.0, section 4.4.7).
func effectiveAddress(operand, offset uint64) uint64 {
	return uint64(uint32(operand)) + uint64(uint32(offset))
}

// checkedResult returns v. It panics, which ends the guest, if err is set or if the guest has ended
// in the meantime.
func (t *thread) checkedResult(v uint64, err error) uint64 {
	if cause := t.Err(); cause != nil {
		panic(cause)
	}
	if err == syscall.ECANCELED {
		// A wait for another thread has no result that would say so, and pthread functions wait
		// again.
		t.Interrupt()
		panic(t.Err())
	}
	if err != nil {
		panic(guestFault{err})
	}
	return v
}
