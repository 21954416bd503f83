package canon

import (
	"context"
	"testing"
)

// counter is a Budget.
type counter struct{ limit, used uint64 }

func (c *counter) Take(bytes uint64) bool {
	if bytes > c.limit-c.used {
		return false
	}
	c.used += bytes
	return true
}

func (c *counter) Give(bytes uint64) { c.used -= bytes }

func TestHandlesAreCharged(t *testing.T) {
	h := newHouse(t)
	budget := &counter{limit: 1000 * handleCost}
	h.guest.Budget = budget
	var err error
	n := 0
	for ; err == nil && n < maxHandles; n++ {
		_, err = builtin(t, "resource.new", h.a, &h.thing, 0)
	}
	wantTrap(t, err, "out of memory: the component instance has")
	if got := uint64(cap(h.a.table.entries)-firstHandles) * handleCost; got != budget.used {
		t.Errorf("got %d bytes charged, want %d", budget.used, got)
	}
	if n < 500 {
		t.Errorf("got %d handles, want at least half of what the budget has room for", n)
	}
}

// TestHeldValuesAreCharged passes values through two components. They are charged together, and
// given back after the calls.
func TestHeldValuesAreCharged(t *testing.T) {
	const size = 100_000
	for _, row := range []struct {
		name      string
		signature string
		limit     uint64
		want      string
	}{
		{"bytes", "(x: list<u8>)", 2 * size, ""},
		{"bytes beyond the budget", "(x: list<u8>)", 3 * size / 2, "out of memory"},
		{"text", "(x: string)", 2 * size, ""},
		{"text beyond the budget", "(x: string)", 3 * size / 2, "out of memory"},
		{"values", "(x: list<bool>)", 2 * valueSize * size, ""},
		{"values beyond the budget", "(x: list<bool>)", 3 * valueSize * size / 2,
			"out of memory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t)
			budget := &counter{limit: row.limit}
			h.guest.Budget = budget
			var most uint64
			inner := h.host(t, h.b, row.signature, func(*Call) error {
				most = budget.used
				return nil
			})
			memory := inner.Options.Memory.(*bumpMemory)
			memory.bytes = append(memory.bytes, make([]byte, 4*size)...)
			callee := h.component(t, h.b, row.signature,
				func(ctx context.Context, stack []uint64) error { return inner.Call(ctx, stack) })
			callee.Options.Memory, callee.Options.Realloc = memory, memory
			outer := h.host(t, h.a, row.signature, nil)
			outer.Host, outer.Target = nil, callee
			outer.Options.Memory, outer.Options.Realloc = memory, memory

			err := outer.Call(t.Context(), []uint64{0, size})
			if row.want != "" {
				wantTrap(t, err, row.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := row.limit - heldChunk; most < want {
				t.Errorf("got %d bytes charged in the inner call, want at least %d", most, want)
			}
			if budget.used != 0 {
				t.Errorf("got %d bytes charged after the calls, want 0", budget.used)
			}
		})
	}
}
