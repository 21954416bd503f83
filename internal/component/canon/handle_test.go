package canon

import (
	"context"
	"fmt"
	"testing"

	"github.com/wasport/wasport/internal/component/wit"
)

// house is a guest with two component instances: a defines the resource thing, b uses it; both use
// the host's resource file.
type house struct {
	guest       Guest
	scope       wit.Scope
	thing, file Resource
	a, b        *Instance
	destroyed   []uint32
	dropped     []uint32
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{}
	if err := h.scope.Define("resource thing; resource file;"); err != nil {
		t.Fatal(err)
	}
	h.a, h.b = h.guest.NewInstance(1, nil), h.guest.NewInstance(2, nil)
	h.scope.Resource("thing").Instance = 1
	h.thing = Resource{Type: h.scope.Resource("thing"), Definer: h.a,
		Destructor: coreFunc(func(_ context.Context, stack []uint64) error {
			h.destroyed = append(h.destroyed, uint32(stack[0]))
			return nil
		})}
	h.guest.Host = h
	h.file = Resource{Type: h.scope.Resource("file"), Host: &HostResource{
		Type: h.scope.Resource("file"), Drop: func(host any, rep uint32) error {
			host.(*house).dropped = append(host.(*house).dropped, rep)
			return nil
		}}}
	return h
}

// builtin calls a builtin in an instance.
func builtin(t *testing.T, name string, in *Instance, r *Resource, arg uint32) (uint32, error) {
	t.Helper()
	for i := range builtinRows {
		if builtinRows[i].Name == name {
			b := Builtin{Row: &builtinRows[i], Instance: in, Resource: r}
			stack := []uint64{uint64(arg) | 7<<32}
			err := b.Call(t.Context(), stack)
			return uint32(stack[0]), err
		}
	}
	t.Fatalf("there is no builtin %s", name)
	return 0, nil
}

// host makes a function of the host that an instance imports; do may be nil.
func (h *house) host(
	t *testing.T, in *Instance, signature string, do func(c *Call) error,
) *Lowered {
	t.Helper()
	if do == nil {
		do = func(*Call) error { return nil }
	}
	sig := newSignature(t, &h.scope, signature)
	m := newMemory()
	return &Lowered{Signature: sig, Options: Options{Instance: in, Memory: m, Realloc: m},
		Host: &HostFunc{Name: "test:host/f.f", Type: sig.Func, Generic: do}}
}

// component makes a function of an instance, of a core function.
func (h *house) component(t *testing.T, in *Instance, signature string, core coreFunc) *Lifted {
	t.Helper()
	m := newMemory()
	return &Lifted{Signature: newSignature(t, &h.scope, signature), Core: core,
		Options: Options{Instance: in, Memory: m, Realloc: m}}
}

// between makes a function of another component that an instance imports.
func (h *house) between(t *testing.T, in *Instance, target *Lifted) *Lowered {
	t.Helper()
	m := newMemory()
	return &Lowered{Signature: target.Signature, Target: target,
		Options: Options{Instance: in, Memory: m, Realloc: m}}
}

func nothing(context.Context, []uint64) error { return nil }

func TestIndicesAreReusedLastFreedFirst(t *testing.T) {
	h := newHouse(t)
	for want := uint32(1); want <= 4; want++ {
		got, err := builtin(t, "resource.new", h.a, &h.thing, want*10)
		if err != nil || got != want {
			t.Fatalf("got handle %d, %v, want %d", got, err, want)
		}
	}
	for _, i := range []uint32{2, 4, 1} {
		if _, err := builtin(t, "resource.drop", h.a, &h.thing, i); err != nil {
			t.Fatal(err)
		}
	}
	var got []uint32
	for range 4 {
		i, err := builtin(t, "resource.new", h.a, &h.thing, 0)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, i)
	}
	if want := "[1 4 2 5]"; fmt.Sprint(got) != want {
		t.Errorf("got handles %v, want %s", got, want)
	}
	if want := "[20 40 10]"; fmt.Sprint(h.destroyed) != want {
		t.Errorf("destructors got %v, want %s", h.destroyed, want)
	}
	if got := h.a.table.count; got != 5 {
		t.Errorf("got %d handles, want 5", got)
	}
}

func TestHandleLimit(t *testing.T) {
	h := newHouse(t)
	for range maxHandles {
		if _, err := builtin(t, "resource.new", h.a, &h.thing, 0); err != nil {
			t.Fatal(err)
		}
	}
	_, err := builtin(t, "resource.new", h.a, &h.thing, 0)
	wantTrap(t, err, "has 65536 handles")
	if _, err := builtin(t, "resource.drop", h.a, &h.thing, 77); err != nil {
		t.Fatal(err)
	}
	if i, err := builtin(t, "resource.new", h.a, &h.thing, 0); err != nil || i != 77 {
		t.Errorf("got %d, %v, want 77", i, err)
	}
}

// TestHandleRules breaks each rule once.
func TestHandleRules(t *testing.T) {
	for _, row := range []struct {
		name string
		run  func(t *testing.T, h *house) error
		want string
	}{
		{"drop of no handle", func(t *testing.T, h *house) error {
			_, err := builtin(t, "resource.drop", h.a, &h.thing, 1)
			return err
		}, "no handle 1"},
		{"drop twice", func(t *testing.T, h *house) error {
			i, _ := builtin(t, "resource.new", h.a, &h.thing, 1)
			if _, err := builtin(t, "resource.drop", h.a, &h.thing, i); err != nil {
				t.Fatal(err)
			}
			_, err := builtin(t, "resource.drop", h.a, &h.thing, i)
			return err
		}, "no handle 1"},
		{"drop of another resource", func(t *testing.T, h *house) error {
			i, _ := builtin(t, "resource.new", h.a, &h.thing, 1)
			_, err := builtin(t, "resource.drop", h.a, &h.file, i)
			return err
		}, "handle 1 is of thing, where one of file is wanted"},
		{"rep of another resource with the same name", func(t *testing.T, h *house) error {
			i, _ := builtin(t, "resource.new", h.a, &h.thing, 1)
			own := Resource{Type: &wit.Resource{Name: "thing"}}
			_, err := builtin(t, "resource.rep", h.a, &own, i)
			return err
		}, "handle 1 is of another resource type with the name thing"},
		{"own twice", func(t *testing.T, h *house) error {
			i, _ := builtin(t, "resource.new", h.a, &h.thing, 1)
			f := h.host(t, h.a, "(a: thing, b: thing)", nil)
			return f.Call(t.Context(), []uint64{uint64(i), uint64(i)})
		}, "no handle 1"},
		{"own of a lent handle", func(t *testing.T, h *house) error {
			i, _ := builtin(t, "resource.new", h.a, &h.thing, 1)
			f := h.host(t, h.a, "(a: borrow<thing>, b: thing)", nil)
			return f.Call(t.Context(), []uint64{uint64(i), uint64(i)})
		}, "handle 1 of thing is lent"},
		{"own of a borrow", func(t *testing.T, h *house) error {
			f := h.host(t, h.b, "(a: thing)", nil)
			callee := h.component(t, h.b, "(a: borrow<thing>)",
				func(ctx context.Context, stack []uint64) error {
					return f.Call(ctx, []uint64{stack[0]})
				})
			_, err := callee.Call(t.Context(), []Value{Rep(5)})
			return err
		}, "handle 1 borrows its thing"},
		{"borrow of no handle", func(t *testing.T, h *house) error {
			return h.host(t, h.a, "(a: borrow<thing>)", nil).Call(t.Context(), []uint64{0})
		}, "no handle 0"},
		{"borrow of another resource", func(t *testing.T, h *house) error {
			i, _ := builtin(t, "resource.new", h.a, &h.thing, 1)
			return h.host(t, h.a, "(a: borrow<file>)", nil).Call(t.Context(), []uint64{uint64(i)})
		}, "handle 1 is of thing"},
		{"drop while lent", func(t *testing.T, h *house) error {
			i, _ := builtin(t, "resource.new", h.a, &h.thing, 1)
			f := h.host(t, h.a, "(a: borrow<thing>)", func(*Call) error {
				_, err := builtin(t, "resource.drop", h.a, &h.thing, i)
				return err
			})
			return f.Call(t.Context(), []uint64{uint64(i)})
		}, "handle 1 of thing is lent"},
		{"borrow kept beyond the call", func(t *testing.T, h *house) error {
			_, err := h.component(t, h.b, "(a: borrow<thing>)", nothing).
				Call(t.Context(), []Value{Rep(5)})
			return err
		}, "returned with 1 borrowed handles"},
		{"borrow of the host kept", func(t *testing.T, h *house) error {
			_, err := h.component(t, h.a, "(a: borrow<file>, b: borrow<file>)", nothing).
				Call(t.Context(), []Value{Rep(5), Rep(6)})
			return err
		}, "returned with 2 borrowed handles"},
	} {
		t.Run(row.name, func(t *testing.T) { wantTrap(t, row.run(t, newHouse(t)), row.want) })
	}
}

func TestLentHandlesComeBack(t *testing.T) {
	h := newHouse(t)
	i, _ := builtin(t, "resource.new", h.a, &h.thing, 41)
	var got uint32
	f := h.host(t, h.a, "(a: borrow<thing>, b: list<borrow<thing>>)", func(c *Call) error {
		got = c.Arg(0).Rep() + c.Arg(1).Items()[1].Rep()
		return nil
	})
	m := f.Options.Memory.(*bumpMemory)
	little.PutUint32(m.bytes[at:], i)
	little.PutUint32(m.bytes[at+4:], i)
	for range 2 {
		if err := f.Call(t.Context(), []uint64{uint64(i), at, 2}); err != nil {
			t.Fatal(err)
		}
	}
	if got != 82 {
		t.Errorf("got resources %d in sum, want 82", got)
	}
	if _, err := builtin(t, "resource.drop", h.a, &h.thing, i); err != nil {
		t.Errorf("drop after the call: %v", err)
	}
}

// TestBorrowsReachTheDefinerAsReps lends handles between components: the definer gets its own
// number, another component a handle that it drops.
func TestBorrowsReachTheDefinerAsReps(t *testing.T) {
	h := newHouse(t)
	var got []uint64
	definer := h.component(t, h.a, "(a: borrow<thing>)",
		func(_ context.Context, stack []uint64) error {
			got = append(got, stack[0])
			return nil
		})
	user := h.component(t, h.b, "(a: borrow<thing>)",
		func(ctx context.Context, stack []uint64) error {
			got = append(got, stack[0])
			if err := h.between(t, h.b, definer).Call(ctx, []uint64{stack[0]}); err != nil {
				return err
			}
			_, err := builtin(t, "resource.drop", h.b, &h.thing, uint32(stack[0]))
			return err
		})
	if _, err := user.Call(t.Context(), []Value{Rep(300)}); err != nil {
		t.Fatal(err)
	}
	if want := "[1 300]"; fmt.Sprint(got) != want {
		t.Errorf("got arguments %v, want %s", got, want)
	}
	if h.destroyed != nil {
		t.Errorf("dropped borrows ran destructors: %v", h.destroyed)
	}
}

func TestOwnedHandlesPassBetweenComponents(t *testing.T) {
	h := newHouse(t)
	i, _ := builtin(t, "resource.new", h.a, &h.thing, 9)
	var received uint32
	take := h.component(t, h.b, "(a: thing) -> thing",
		func(_ context.Context, stack []uint64) error {
			received = uint32(stack[0])
			return nil
		})
	stack := []uint64{uint64(i)}
	if err := h.between(t, h.a, take).Call(t.Context(), stack); err != nil {
		t.Fatal(err)
	}
	if received != 1 || stack[0] != 1 || h.a.table.count != 1 || h.b.table.count != 0 {
		t.Errorf("got handle %d, back as %d, %d and %d handles, want 1, 1, 1 and 0", received,
			stack[0], h.a.table.count, h.b.table.count)
	}
	if rep, err := builtin(t, "resource.rep", h.a, &h.thing, 1); err != nil || rep != 9 {
		t.Errorf("got number %d, %v, want 9", rep, err)
	}
}

func TestDropOfHostResources(t *testing.T) {
	h := newHouse(t)
	open := h.host(t, h.b, "() -> file", func(c *Call) error {
		c.Return(Rep(77))
		return nil
	})
	stack := []uint64{0}
	if err := open.Call(t.Context(), stack); err != nil {
		t.Fatal(err)
	}
	if _, err := builtin(t, "resource.drop", h.b, &h.file, uint32(stack[0])); err != nil {
		t.Fatal(err)
	}
	if want := "[77]"; fmt.Sprint(h.dropped) != want {
		t.Errorf("dropped %v, want %s", h.dropped, want)
	}
}

func TestDestructorsAreCallsIntoTheDefiner(t *testing.T) {
	own := func(h *house, t *testing.T) uint32 {
		i, err := h.b.table.add(entry{kind: entryOwn, resource: h.thing.Type, rep: 3})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	t.Run("from another instance", func(t *testing.T) {
		h := newHouse(t)
		if _, err := builtin(t, "resource.drop", h.b, &h.thing, own(h, t)); err != nil {
			t.Fatal(err)
		}
		if want := "[3]"; fmt.Sprint(h.destroyed) != want {
			t.Errorf("destroyed %v, want %s", h.destroyed, want)
		}
	})
	for _, destructor := range []bool{true, false} {
		t.Run(fmt.Sprint("while the definer is entered/", destructor), func(t *testing.T) {
			h := newHouse(t)
			if !destructor {
				h.thing.Destructor = nil
			}
			i := own(h, t)
			user := h.component(t, h.b, "()", func(context.Context, []uint64) error {
				_, err := builtin(t, "resource.drop", h.b, &h.thing, i)
				return err
			})
			definer := h.component(t, h.a, "()", func(ctx context.Context, _ []uint64) error {
				return h.between(t, h.a, user).Call(ctx, nil)
			})
			_, err := definer.Call(t.Context(), nil)
			wantTrap(t, err, "while it waits for a call to return")
		})
	}
	t.Run("by the definer itself", func(t *testing.T) {
		h := newHouse(t)
		definer := h.component(t, h.a, "()", func(context.Context, []uint64) error {
			i, err := builtin(t, "resource.new", h.a, &h.thing, 4)
			if err == nil {
				_, err = builtin(t, "resource.drop", h.a, &h.thing, i)
			}
			return err
		})
		if _, err := definer.Call(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if want := "[4]"; fmt.Sprint(h.destroyed) != want {
			t.Errorf("destroyed %v, want %s", h.destroyed, want)
		}
	})
}
