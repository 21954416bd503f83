package engine

import (
	"context"

	"github.com/tetratelabs/wazero/api"
)

// The functions in the place of atomic wait and notify, with the operands that package interrupt
// describes.

func notify(ctx context.Context, mod api.Module, s []uint64) {
	t := threadOf(ctx)
	n, err := t.guest.waits.Notify(t.Memory(mod), sum(s[0], s[2]), uint32(s[1]))
	s[0] = t.result(uint64(n), err)
}

func wait32(ctx context.Context, mod api.Module, s []uint64) {
	t := threadOf(ctx)
	r, err := t.guest.waits.Wait32(t.waiter, t, t.Memory(mod), sum(s[0], s[3]), uint32(s[1]),
		int64(s[2]))
	s[0] = t.result(uint64(r), err)
}

func wait64(ctx context.Context, mod api.Module, s []uint64) {
	t := threadOf(ctx)
	r, err := t.guest.waits.Wait64(t.waiter, t, t.Memory(mod), sum(s[0], s[3]), s[1], int64(s[2]))
	s[0] = t.result(uint64(r), err)
}

// sum is the address that an operand and an offset mean together.
func sum(operand, offset uint64) uint64 { return uint64(uint32(operand)) + uint64(uint32(offset)) }

// result ends the guest in place of a result, if there was an error or the guest has ended
// meanwhile.
func (t *thread) result(v uint64, err error) uint64 {
	if cause := t.Err(); cause != nil {
		panic(cause)
	}
	if err != nil {
		panic(fault{err})
	}
	return v
}
