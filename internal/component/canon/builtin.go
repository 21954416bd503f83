package canon

import (
	"context"

	"github.com/wasport/wasport/internal/component/wit"
)

// Resource is a resource type in one guest. Definer and Destructor are those of a type that a
// component instance defines, of which Destructor is nil without one; Host is that of a type of
// the host.
type Resource struct {
	Type       *wit.Resource
	Definer    *Instance
	Destructor Core
	Host       *HostResource
}

// Builtin is a canonical definition that makes a core function of its own, such as resource.drop,
// in one component instance of a guest.
type Builtin struct {
	Row      *BuiltinRow
	Instance *Instance
	Resource *Resource
}

// BuiltinRow is a kind of Builtin. The rows are those of Explainer.md, "Canonical built-ins".
type BuiltinRow struct {
	Opcode byte
	Name   string
	Type   wit.CoreFunc
	call   func(ctx context.Context, b *Builtin, stack []uint64) error
}

var (
	oneI32      = []wit.CoreType{wit.I32}
	builtinRows = []BuiltinRow{
		{0x02, "resource.new", wit.CoreFunc{Params: oneI32, Results: oneI32}, resourceNew},
		{0x03, "resource.drop", wit.CoreFunc{Params: oneI32}, resourceDrop},
		{0x04, "resource.rep", wit.CoreFunc{Params: oneI32, Results: oneI32}, resourceRep},
	}
)

// LookupBuiltin returns the row with an opcode.
func LookupBuiltin(opcode byte) (*BuiltinRow, bool) {
	for i := range builtinRows {
		if builtinRows[i].Opcode == opcode {
			return &builtinRows[i], true
		}
	}
	return nil, false
}

// Call calls the function with the parameters in stack, and puts a result into stack[0]. An error
// ends the guest.
func (b *Builtin) Call(ctx context.Context, stack []uint64) error {
	return b.Row.call(ctx, b, stack)
}

// mayLeave checks that the instance is allowed to call out.
func (b *Builtin) mayLeave() error {
	if b.Instance.mayNotLeave {
		return Trapf("%s was called by realloc or post-return, which may call no import",
			b.Row.Name)
	}
	return nil
}

func resourceNew(_ context.Context, b *Builtin, stack []uint64) error {
	if err := b.mayLeave(); err != nil {
		return err
	}
	i, err := b.Instance.addHandle(entry{
		kind: entryOwn, resource: b.Resource.Type, rep: uint32(stack[0]),
	})
	stack[0] = uint64(i)
	return err
}

func resourceRep(_ context.Context, b *Builtin, stack []uint64) error {
	e, err := b.Instance.table.get(uint32(stack[0]), b.Resource.Type)
	if err != nil {
		return err
	}
	stack[0] = uint64(e.rep)
	return nil
}

func resourceDrop(ctx context.Context, b *Builtin, stack []uint64) error {
	if err := b.mayLeave(); err != nil {
		return err
	}
	e, err := b.Instance.table.remove(uint32(stack[0]), b.Resource.Type)
	if err != nil {
		return err
	}
	if e.kind == entryBorrow {
		e.scope.borrows--
		return nil
	}
	if host := b.Resource.Host; host != nil {
		return host.Drop(b.Instance.guest.Host, e.rep)
	}
	return b.Resource.destroy(ctx, b.Instance, e.rep)
}

// destroy runs the destructor of the component that defines the resource. A definer that drops a
// resource of its own is running, and calls the destructor as its own function; for another one it
// is a call into the definer, which must be allowed even if there is no destructor
// (CanonicalABI.md, "canon resource.drop").
func (r *Resource) destroy(ctx context.Context, from *Instance, rep uint32) error {
	definer := r.Definer
	if from != definer {
		if err := definer.enter(from); err != nil {
			return err
		}
	}
	if r.Destructor != nil {
		stack := definer.guest.push(1)
		stack[0] = uint64(rep)
		if err := r.Destructor.Call(ctx, stack); err != nil {
			return definer.guest.end(err)
		}
		definer.guest.pop(1)
	}
	if from != definer {
		definer.leave(from)
	}
	return nil
}
