// Package canontest calls host functions as a component does, without a component: through the
// canonical ABI and a memory, so that tests of generic and of direct functions are the same.
//
//	g := canontest.New(host)
//	v, err := g.Call(createTCPSocket, canon.Case(0))     // result<tcp-socket, error-code>
//	socket := v.Payload()                                // a handle, as a u32
//	v, err = g.Call(startBind, socket, network, address)
//	err = g.Drop(tcpSocket, socket)
package canontest

import (
	"context"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/wit"
)

// Guest is a component instance with a memory and an allocator that never frees.
type Guest struct {
	Memory   *Memory
	Encoding canon.Encoding
	Instance *canon.Instance
	state    canon.Guest
}

// New makes a guest with a state for host functions and 1 MiB of memory.
func New(host any) *Guest {
	g := &Guest{Memory: &Memory{Bytes: make([]byte, 1<<20), next: 64}}
	g.state.Host = host
	g.Instance = g.state.NewInstance(1, nil)
	return g
}

// Memory is a linear memory and its realloc.
type Memory struct {
	Bytes []byte
	next  uint64
	// Sizes has the sizes that realloc was asked for, the last ones last.
	Sizes []uint32
}

// View returns the memory.
func (m *Memory) View() []byte { return m.Bytes }

// Call is realloc. It grows the memory if need be, which then lies elsewhere.
func (m *Memory) Call(_ context.Context, stack []uint64) error {
	align, size := stack[2], stack[3]
	m.next = (m.next + align - 1) &^ (align - 1)
	stack[0] = m.next
	m.next += size
	m.Sizes = append(m.Sizes, uint32(size))
	if m.next > uint64(len(m.Bytes)) {
		m.Bytes = append(m.Bytes, make([]byte, m.next)...)
	}
	return nil
}

// Options returns canonical options with the guest's memory.
func (g *Guest) Options() canon.Options {
	return canon.Options{
		Instance: g.Instance, Encoding: g.Encoding, Memory: g.Memory, Realloc: g.Memory,
	}
}

// Call calls a host function by its direct form, if it has one, as a component would. Handles, in
// arguments and in the result, are numbers (Uint) in the guest's table. An error is one that would
// end the guest.
func (g *Guest) Call(f *canon.HostFunc, args ...canon.Value) (canon.Value, error) {
	return g.CallContext(context.Background(), f, args...)
}

// CallContext is Call under a context.
func (g *Guest) CallContext(
	ctx context.Context, f *canon.HostFunc, args ...canon.Value,
) (canon.Value, error) {
	sig, err := canon.NewSignature(f.Type)
	if err != nil {
		return canon.Value{}, err
	}
	lowered := &canon.Lowered{Signature: sig, Options: g.Options(), Host: f}
	outer, err := canon.NewSignature(withoutHandles(f.Type))
	if err != nil {
		return canon.Value{}, err
	}
	// Each call is one into a guest of its own, with the table of the instance: so a trap is seen
	// by its call alone.
	entry := canon.Options{
		Instance: new(canon.Guest).NewInstance(1, nil), Encoding: g.Encoding, Memory: g.Memory,
		Realloc: g.Memory,
	}
	lifted := canon.Lifted{Signature: outer, Core: caller{g, f.Type, lowered}, Options: entry}
	return lifted.Call(ctx, args)
}

// CallGeneric is Call by the generic form.
func (g *Guest) CallGeneric(f *canon.HostFunc, args ...canon.Value) (canon.Value, error) {
	generic := *f
	generic.Direct = nil
	return g.Call(&generic, args...)
}

// Drop drops a handle of a resource of the host.
func (g *Guest) Drop(r *canon.HostResource, handle canon.Value) error {
	row, _ := canon.LookupBuiltin(0x03)
	drop := canon.Builtin{
		Row: row, Instance: g.Instance, Resource: &canon.Resource{Type: r.Type, Host: r},
	}
	return drop.Call(context.Background(), []uint64{handle.Uint()})
}

// caller is the core function that calls a lowered one with its own parameters.
type caller struct {
	guest   *Guest
	typ     *wit.Func
	lowered *canon.Lowered
}

func (c caller) Call(ctx context.Context, stack []uint64) error {
	if !c.typ.ResultInMemory() {
		return c.lowered.Call(ctx, stack)
	}
	place := []uint64{0, 0, uint64(c.typ.Result.Align()), uint64(c.typ.Result.Size())}
	if err := c.guest.Memory.Call(ctx, place); err != nil {
		return err
	}
	n := len(c.typ.Lowered().Params) - 1
	if err := c.lowered.Call(ctx, append(stack[:n:n], place[0])); err != nil {
		return err
	}
	stack[0] = place[0]
	return nil
}

// withoutHandles returns the type of f with numbers in place of handles, which lie in memory alike.
func withoutHandles(f *wit.Func) *wit.Func {
	plain := &wit.Func{Result: numbers(f.Result)}
	for _, p := range f.Params {
		plain.Params = append(plain.Params, wit.Param{Name: p.Name, Type: numbers(p.Type)})
	}
	return plain
}

func numbers(t *wit.Type) *wit.Type {
	if t == nil {
		return nil
	}
	fields := append([]wit.Field(nil), t.Fields()...)
	types := make([]*wit.Type, len(fields))
	for i := range fields {
		fields[i].Type = numbers(fields[i].Type)
		types[i] = fields[i].Type
	}
	var made *wit.Type
	var err error
	switch t.Kind() {
	case wit.KindOwn, wit.KindBorrow:
		return wit.U32
	case wit.KindList:
		made, err = wit.List(numbers(t.Elem()))
	case wit.KindOption:
		made, err = wit.Option(numbers(t.Elem()))
	case wit.KindResult:
		made, err = wit.Result(numbers(t.Ok()), numbers(t.Err()))
	case wit.KindRecord:
		made, err = wit.Record(fields)
	case wit.KindTuple:
		made, err = wit.Tuple(types...)
	case wit.KindVariant:
		made, err = wit.Variant(fields)
	default:
		return t
	}
	if err != nil {
		panic(err)
	}
	return made
}
