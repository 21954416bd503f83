package canon

import "testing"

// TestShowHasNoEffect shows the arguments and the result of a call. Handles stay as they are, and
// values that are not valid are left out.
func TestShowHasNoEffect(t *testing.T) {
	h := newHouse(t)
	i, err := builtin(t, "resource.new", h.a, &h.thing, 9)
	if err != nil {
		t.Fatal(err)
	}
	f := h.host(t, h.a, "(t: thing, s: string) -> result<thing, u64>", func(c *Call) error {
		c.Return(OK(c.Arg(0)))
		return nil
	})
	copy(f.Options.Memory.View()[0x20:], "text")
	stack := []uint64{uint64(i), 0x20, 4, at}
	shown := f.Show(stack)
	if len(shown.Args) != 2 || shown.Args[0].Rep() != i || shown.Args[1].Text() != "text" {
		t.Errorf("got arguments %v, want handle %d and text", shown.Args, i)
	}
	if err := f.Call(t.Context(), stack); err != nil {
		t.Fatal(err)
	}
	if r := shown.Result(stack); len(r) != 1 || r[0].Case() != 0 || r[0].Payload().Rep() != 1 {
		t.Errorf("got result %v, want handle 1", r)
	}
	if got := f.Show([]uint64{7, heap, 4, at}); len(got.Args) != 1 {
		t.Errorf("got %d arguments, want that before the string beyond the memory", len(got.Args))
	}
}

// TestShowOfParametersInMemory shows them before the first call of the function.
func TestShowOfParametersInMemory(t *testing.T) {
	const many = "(a: string, b: string, c: string, d: string, e: string, f: string, " +
		"g: string, h: string, i: u64)"
	for _, row := range []struct {
		place uint64
		want  int
	}{{at, 9}, {at + 4, 0}, {heap - 64, 0}, {1 << 31, 0}} {
		h := newHouse(t)
		f := h.host(t, h.a, many, nil)
		if got := f.Show([]uint64{row.place}).Args; len(got) != row.want {
			t.Errorf("parameters at %#x: got %d, want %d", row.place, len(got), row.want)
		}
	}
}
