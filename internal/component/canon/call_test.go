package canon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestPostReturnFollowsTheResult(t *testing.T) {
	h := newHouse(t)
	var order []string
	f := h.component(t, h.a, "() -> string", nil)
	m := f.Options.Memory.(*bumpMemory)
	f.Core = coreFunc(func(_ context.Context, stack []uint64) error {
		order = append(order, "call")
		copy(m.bytes[at:], "\x20\x00\x00\x00\x02\x00\x00\x00")
		copy(m.bytes[0x20:], "hi")
		stack[0] = at
		return nil
	})
	f.Options.PostReturn = coreFunc(func(_ context.Context, stack []uint64) error {
		order = append(order, fmt.Sprintf("post-return(%#x)", stack[0]))
		clear(m.bytes)
		return nil
	})
	for range 2 {
		v, err := f.Call(t.Context(), nil)
		if err != nil || v.Text() != "hi" {
			t.Errorf("got %q, %v, want hi", v.Text(), err)
		}
	}
	want := []string{"call", "post-return(0x40)", "call", "post-return(0x40)"}
	if !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
}

func TestPostReturnGetsFlatResults(t *testing.T) {
	h := newHouse(t)
	f := h.component(t, h.a, "(a: u64) -> u64", func(_ context.Context, stack []uint64) error {
		stack[0]++
		return nil
	})
	got := uint64(0)
	f.Options.PostReturn = coreFunc(func(_ context.Context, stack []uint64) error {
		got = stack[0]
		return nil
	})
	if v, err := f.Call(t.Context(), []Value{Uint(41)}); err != nil || v.Uint() != 42 || got != 42 {
		t.Errorf("got %d, %v, and %d for post-return, want 42", v.Uint(), err, got)
	}
}

// TestLeavingFromReallocAndPostReturn calls each kind of import from where none may be called.
func TestLeavingFromReallocAndPostReturn(t *testing.T) {
	const text = "called by realloc or post-return"
	for _, import_ := range []struct {
		name string
		call func(t *testing.T, h *house) error
		want string
	}{
		{"host", func(t *testing.T, h *house) error {
			return h.host(t, h.a, "()", nil).Call(t.Context(), nil)
		}, text},
		{"component", func(t *testing.T, h *house) error {
			return h.between(t, h.a, h.component(t, h.b, "()", nothing)).Call(t.Context(), nil)
		}, text},
		{"resource.new", func(t *testing.T, h *house) error {
			_, err := builtin(t, "resource.new", h.a, &h.thing, 1)
			return err
		}, text},
		{"resource.drop", func(t *testing.T, h *house) error {
			_, err := builtin(t, "resource.drop", h.a, &h.thing, 1)
			return err
		}, text},
		{"resource.rep", func(t *testing.T, h *house) error {
			_, err := builtin(t, "resource.rep", h.a, &h.thing, 1)
			return err
		}, ""},
	} {
		where := map[string]func(h *house, f *Lifted, leave Core){
			"realloc":     func(h *house, f *Lifted, leave Core) { f.Options.Realloc = leave },
			"post-return": func(h *house, f *Lifted, leave Core) { f.Options.PostReturn = leave },
		}
		for place, set := range where {
			t.Run(import_.name+" from "+place, func(t *testing.T) {
				h := newHouse(t)
				if _, err := builtin(t, "resource.new", h.a, &h.thing, 1); err != nil {
					t.Fatal(err)
				}
				f := h.component(t, h.a, "(s: string)", nothing)
				set(h, f, coreFunc(func(_ context.Context, stack []uint64) error {
					stack[0] = 0
					return import_.call(t, h)
				}))
				_, err := f.Call(t.Context(), []Value{Text("a")})
				if import_.want != "" {
					wantTrap(t, err, import_.want)
				} else if err != nil {
					t.Errorf("got %v, want none", err)
				}
			})
		}
	}
	t.Run("host from realloc for a result", func(t *testing.T) {
		h := newHouse(t)
		other := h.host(t, h.a, "()", nil)
		f := h.host(t, h.a, "() -> string", func(c *Call) error {
			c.Return(Text("abc"))
			return nil
		})
		f.Options.Realloc = coreFunc(func(ctx context.Context, _ []uint64) error {
			return other.Call(ctx, nil)
		})
		wantTrap(t, f.Call(t.Context(), []uint64{at}), text)
	})
}

func TestLeavingIsAllowedAgainAfterwards(t *testing.T) {
	h := newHouse(t)
	imported := h.host(t, h.a, "() -> string", func(c *Call) error {
		c.Return(Text("abc"))
		return nil
	})
	f := h.component(t, h.a, "(s: string)", func(ctx context.Context, _ []uint64) error {
		if err := imported.Call(ctx, []uint64{at}); err != nil {
			return err
		}
		return imported.Call(ctx, []uint64{at})
	})
	f.Options.PostReturn = coreFunc(nothing)
	for range 2 {
		if _, err := f.Call(t.Context(), []Value{Text("abc")}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReentrance(t *testing.T) {
	for _, row := range []struct {
		name string
		// make returns the instances that call one another, in order.
		make func(g *Guest) []*Instance
		want string
	}{
		{"one after another", func(g *Guest) []*Instance {
			return []*Instance{g.NewInstance(1, nil), g.NewInstance(2, nil), g.NewInstance(3, nil)}
		}, ""},
		{"back into the caller", func(g *Guest) []*Instance {
			a, b := g.NewInstance(1, nil), g.NewInstance(2, nil)
			return []*Instance{a, b, a}
		}, "while it waits"},
		{"into itself, whose caller it contains", func(g *Guest) []*Instance {
			a := g.NewInstance(1, nil)
			return []*Instance{a, a}
		}, ""},
		{"parent into child", func(g *Guest) []*Instance {
			parent := g.NewInstance(1, nil)
			return []*Instance{parent, g.NewInstance(2, parent)}
		}, ""},
		{"child into parent", func(g *Guest) []*Instance {
			parent := g.NewInstance(1, nil)
			return []*Instance{parent, g.NewInstance(2, parent), parent}
		}, ""},
		{"child of the outermost into its parent", func(g *Guest) []*Instance {
			parent := g.NewInstance(1, nil)
			return []*Instance{g.NewInstance(2, parent), parent}
		}, ""},
		{"siblings", func(g *Guest) []*Instance {
			parent := g.NewInstance(1, nil)
			return []*Instance{g.NewInstance(2, parent), g.NewInstance(3, parent)}
		}, ""},
		{"sibling twice", func(g *Guest) []*Instance {
			parent := g.NewInstance(1, nil)
			a, b := g.NewInstance(2, parent), g.NewInstance(3, parent)
			return []*Instance{a, b, a}
		}, "while it waits"},
		{"cousins below an entered parent", func(g *Guest) []*Instance {
			top := g.NewInstance(1, nil)
			left, right := g.NewInstance(2, top), g.NewInstance(3, top)
			return []*Instance{g.NewInstance(4, left), g.NewInstance(5, right), right}
		}, ""},
		{"through another tree back into a parent", func(g *Guest) []*Instance {
			parent, other := g.NewInstance(1, nil), g.NewInstance(2, nil)
			return []*Instance{g.NewInstance(3, parent), other, parent}
		}, "while it waits"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t)
			chain := row.make(&h.guest)
			next := h.component(t, chain[len(chain)-1], "()", nothing)
			for i := len(chain) - 2; i >= 0; i-- {
				lowered := h.between(t, chain[i], next)
				next = h.component(t, chain[i], "()", func(ctx context.Context, _ []uint64) error {
					return lowered.Call(ctx, nil)
				})
			}
			_, err := next.Call(t.Context(), nil)
			if row.want != "" {
				wantTrap(t, err, row.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range chain {
				for i := in; i != nil; i = i.parent {
					if i.entered {
						t.Errorf("instance %d is entered after the call", i.number)
					}
				}
			}
		})
	}
	t.Run("from the host, while inside of a host function", func(t *testing.T) {
		h := newHouse(t)
		var f *Lifted
		imported := h.host(t, h.a, "()", func(c *Call) error {
			_, err := f.Call(c.Context(), nil)
			return err
		})
		f = h.component(t, h.a, "()", func(ctx context.Context, _ []uint64) error {
			return imported.Call(ctx, nil)
		})
		_, err := f.Call(t.Context(), nil)
		wantTrap(t, err, "while it waits")
	})
}

func TestNothingIsCalledAfterATrap(t *testing.T) {
	h := newHouse(t)
	ended := errors.New("ended")
	calls := 0
	bad := h.component(t, h.a, "()", func(context.Context, []uint64) error { return ended })
	other := h.component(t, h.b, "()", func(context.Context, []uint64) error {
		calls++
		return nil
	})
	for range 2 {
		if _, err := bad.Call(t.Context(), nil); err != ended {
			t.Errorf("got %v, want %v", err, ended)
		}
	}
	if _, err := other.Call(t.Context(), nil); err != ended || calls != 0 {
		t.Errorf("got %v and %d calls, want %v and none", err, calls, ended)
	}
}

func TestErrorsOfHostsPassThroughComponents(t *testing.T) {
	h := newHouse(t)
	exit := errors.New("exit")
	leave := h.host(t, h.b, "()", func(*Call) error { return exit })
	inner := h.component(t, h.b, "()", func(ctx context.Context, _ []uint64) error {
		return leave.Call(ctx, nil)
	})
	call := h.between(t, h.a, inner)
	outer := h.component(t, h.a, "()", func(ctx context.Context, _ []uint64) error {
		return call.Call(ctx, nil)
	})
	if _, err := outer.Call(t.Context(), nil); err != exit {
		t.Errorf("got %v, want %v itself", err, exit)
	}
}

func TestPlacesAreCheckedBeforeTheCall(t *testing.T) {
	const many = "(a: string, b: string, c: string, d: string, e: string, f: string, " +
		"g: string, h: string, i: u64)"
	for _, row := range []struct {
		name, signature string
		stack           []uint64
		want            string
	}{
		{"result misaligned", "() -> string", []uint64{at + 2}, "place of the result: the pointer"},
		{"result beyond", "() -> string", []uint64{heap - 4}, "place of the result: 8 bytes"},
		{"result of 8", "() -> option<u64>", []uint64{at + 4}, "not aligned to 8"},
		{"parameters misaligned", many, []uint64{at + 4}, "place of the parameters: the pointer"},
		{"parameters beyond", many, []uint64{heap - 64}, "place of the parameters: 72 bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t)
			called := false
			f := h.host(t, h.a, row.signature, func(*Call) error {
				called = true
				return nil
			})
			wantTrap(t, f.Call(t.Context(), row.stack), row.want)
			direct := *f.Host
			direct.Direct = func(*Call, []uint64) error {
				called = true
				return nil
			}
			f.Host = &direct
			wantTrap(t, f.Call(t.Context(), row.stack), row.want)
			if called {
				t.Error("the function was called")
			}
		})
	}
	t.Run("result of a component", func(t *testing.T) {
		h := newHouse(t)
		f := h.component(t, h.a, "() -> string", func(_ context.Context, stack []uint64) error {
			stack[0] = heap - 4
			return nil
		})
		_, err := f.Call(t.Context(), nil)
		wantTrap(t, err, "the place of the result")
	})
}

func TestParametersInMemory(t *testing.T) {
	h := newHouse(t)
	const signature = "(a: string, b: string, c: string, d: string, e: string, f: string, " +
		"g: string, h: string, i: u64) -> u64"
	args := make([]Value, 9)
	for i := range 8 {
		args[i] = Text(fmt.Sprint("text ", i))
	}
	args[8] = Uint(99)
	var got []string
	host := h.host(t, h.a, signature, func(c *Call) error {
		for _, a := range c.Args()[:8] {
			got = append(got, a.Text())
		}
		c.Return(c.Arg(8))
		return nil
	})
	f := h.component(t, h.a, signature, host.Call)
	host.Options.Memory = f.Options.Memory
	v, err := f.Call(t.Context(), args)
	if err != nil || v.Uint() != 99 {
		t.Fatalf("got %d, %v, want 99", v.Uint(), err)
	}
	for i, text := range got {
		if text != args[i].Text() {
			t.Errorf("argument %d: got %q, want %q", i, text, args[i].Text())
		}
	}
}

func TestReturnLater(t *testing.T) {
	h := newHouse(t)
	t.Run("value", func(t *testing.T) {
		f := h.host(t, h.a, "() -> u32", func(c *Call) error {
			later := c.Later()
			go later(Uint(5), nil)
			return nil
		})
		stack := []uint64{0}
		if err := f.Call(t.Context(), stack); err != nil || stack[0] != 5 {
			t.Errorf("got %d, %v, want 5", stack[0], err)
		}
	})
	t.Run("end of the context", func(t *testing.T) {
		cause := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		f := h.host(t, h.a, "() -> u32", func(c *Call) error {
			c.Later()
			cancel(cause)
			return nil
		})
		if err := f.Call(ctx, []uint64{0}); err != cause {
			t.Errorf("got %v, want %v", err, cause)
		}
	})
}
