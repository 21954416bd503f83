package canon

import (
	"context"

	"github.com/wasport/wasport/internal/component/wit"
)

// HostFunc is a function of the host that components import: a row of a table. It is shared by all
// guests, and one of its two forms is called with the state of the guest that calls.
//
// Generic gets its arguments as Values and returns one:
//
//	func(c *canon.Call) error {
//		g := c.Host().(*Guest)
//		s, ok := g.streams.get(c.Arg(0).Rep())      // self: borrow<output-stream>
//		...
//		c.Return(canon.OK(canon.Uint(n)))           // result<u64, stream-error>
//		return nil
//	}
//
// Direct, if there is one, is called instead. It gets the flat arguments and does all reading and
// writing of guest memory itself, so that it needs no allocation. stack[i] is the i-th flat
// argument, of which an i32 is the lower 32 bits; one flat result goes to stack[0]. A result in
// memory is written to c.Result(), which the canonical ABI has checked before the call:
//
//	func(c *canon.Call, stack []uint64) error {     // (self: borrow<output-stream>, list<u8>)
//		g := c.Host().(*Guest)
//		rep, err := c.Self(stack)
//		...
//		data, err := c.Bytes(uint32(stack[1]), uint32(stack[2]))
//		...
//		c.Result()[0] = 0                           // result<_, stream-error>: ok
//		return nil
//	}
//
// In both, an error ends the guest. A guest's mistake that the interface calls a trap is made by
// Trapf; its text begins with the function's name. Any other error is passed on as it is, also
// through the calls of components that are in between: the way for an exit, or for the reason for
// which the guest was ended. An error-code of the interface is a value and no error.
//
// A function must return when ctx ends, with its cause.
type HostFunc struct {
	// Name is the name in messages, such as wasi:io/poll.poll.
	Name    string
	Type    *wit.Func
	Generic func(c *Call) error
	Direct  func(c *Call, stack []uint64) error

	// Self is the resource of the first parameter, for Call.Self.
	Self *wit.Resource
}

// HostResource is a resource type that the host defines. Drop is called when a guest drops a handle
// that owns the resource with number rep; an error of it ends the guest. It is not called for
// resources that a guest still owns when it ends: the owner of the numbers releases all.
type HostResource struct {
	Type *wit.Resource
	Drop func(host any, rep uint32) error
}

// Call is a call of a host function. It is valid until the function returns, and used by one
// goroutine at a time.
type Call struct {
	guest   *Guest
	ctx     context.Context
	lowered *Lowered
	// view is the memory of the caller, nil if it has to be taken anew.
	view   []byte
	args   []Value
	result Value
	// resultPtr is where the caller wants a result that is in memory.
	resultPtr uint32
	later     chan returned
}

type returned struct {
	value Value
	err   error
}

// Context returns the context of the guest. The end of it ends the call.
func (c *Call) Context() context.Context { return c.ctx }

// Host returns the state of the guest that calls, which Guest.Host has.
func (c *Call) Host() any { return c.guest.Host }

// Func returns the function that is called.
func (c *Call) Func() *HostFunc { return c.lowered.Host }

// Arg returns an argument of a generic function, and Args all of them. They are dead after the
// call; text and bytes are copies and may be kept.
func (c *Call) Arg(i int) Value { return c.args[i] }
func (c *Call) Args() []Value   { return c.args }

// Return sets the value that a generic function returns. A function without a result need not call
// it.
func (c *Call) Return(v Value) { c.result = v }

// Later lets a generic function return its value after it came back: the function that Later
// returns is then called once, from any goroutine. An error ends the guest, as that of the function
// itself does. A caller that cannot wait, which is any in WASI 0.2, is blocked until then or until
// its context ends.
func (c *Call) Later() func(Value, error) {
	later := make(chan returned, 1)
	c.later = later
	return func(v Value, err error) { later <- returned{v, err} }
}

// View returns the memory of the caller. It is dead after the next call of Realloc.
func (c *Call) View() []byte {
	if c.view == nil {
		c.takeView()
	}
	return c.view
}

func (c *Call) takeView() { c.view = c.lowered.Options.view() }

// Realloc has the caller allocate memory, and returns its place, which is aligned and within the
// memory. Views from before are dead. Ask once, and for the exact size: the allocators of some
// components cannot grow or shrink an allocation.
func (c *Call) Realloc(align, size uint32) (uint32, error) {
	c.view = nil
	return c.lowered.Options.realloc(c.ctx, align, size)
}

// Result returns the memory where the caller wants the result, if the function's result is in
// memory: exactly its size. It is dead after the next call of Realloc.
func (c *Call) Result() []byte {
	size := c.lowered.Signature.resultSize
	return c.View()[c.resultPtr:][:size:size]
}

// Bytes returns the n bytes of the caller's memory at ptr: a list<u8>. A range beyond the memory is
// a trap.
func (c *Call) Bytes(ptr, n uint32) ([]byte, error) {
	if mem := c.View(); n <= wit.MaxSize && inRange(mem, ptr, n, 1) {
		return mem[ptr:][:n:n], nil
	}
	return c.List(ptr, n, 1, 1)
}

// List returns the bytes of a list of n elements at ptr, of a size and alignment. A range beyond
// the memory, one that is too long, and a pointer that is not aligned are traps.
func (c *Call) List(ptr, n, size, align uint32) ([]byte, error) {
	return listBytes(c.View(), ptr, n, size, align)
}

// Handle returns the number of the resource of a borrow handle that the caller passed. No such
// handle, or one of another resource, is a trap. The handle is not marked as lent: a direct
// function returns before the guest can drop it.
func (c *Call) Handle(index uint32, r *wit.Resource) (uint32, error) {
	t := &c.lowered.Options.Instance.table
	if uint64(index) < uint64(len(t.entries)) {
		if e := &t.entries[index]; e.resource == r && e.kind != entryFree {
			return e.rep, nil
		}
	}
	e, err := t.get(index, r)
	if err != nil {
		return 0, err
	}
	return e.rep, nil
}

// Self is Handle of the first argument, which is of the resource HostFunc.Self.
func (c *Call) Self(stack []uint64) (uint32, error) {
	return c.Handle(uint32(stack[0]), c.lowered.Host.Self)
}

// NewHandle makes a handle in the caller's table, which owns the resource with number rep, and
// returns its index. If it fails, which is a trap, the resource still belongs to the function.
func (c *Call) NewHandle(r *wit.Resource, rep uint32) (uint32, error) {
	return c.lowered.Options.Instance.addHandle(entry{kind: entryOwn, resource: r, rep: rep})
}
