package canon

import (
	"context"
	"slices"
)

// Core is a core function of the guest. Call takes its parameters from stack and writes its results
// there; stack has room for the greater number of both, and an i32 or f32 is in the lower 32 bits.
// An error ends the guest: the trap of the core module, or the reason for which the guest was ended
// meanwhile.
type Core interface {
	Call(ctx context.Context, stack []uint64) error
}

// Memory is a linear memory of the guest. View returns all of it, as it is now: a view is dead
// after the next call into the guest, which may grow the memory.
type Memory interface {
	View() []byte
}

// Encoding is how a component's strings are encoded.
type Encoding uint8

// The encodings, numbered as the options of a canonical definition are.
const (
	UTF8 Encoding = iota
	UTF16
	Latin1UTF16
)

// Options are the options of a canonical definition, bound to one guest. Those that the definition
// does not need are nil; validation has made sure that the rest is there.
type Options struct {
	Instance   *Instance
	Encoding   Encoding
	Memory     Memory
	Realloc    Core
	PostReturn Core
}

// view returns the memory, empty if there is none.
func (o *Options) view() []byte {
	if o.Memory == nil {
		return nil
	}
	return o.Memory.View()
}

// realloc has the guest allocate size bytes, and checks the place that it returns.
func (o *Options) realloc(ctx context.Context, align, size uint32) (uint32, error) {
	if o.Realloc == nil {
		return 0, Trapf("realloc is wanted, and the canonical options have none")
	}
	in := o.Instance
	stack := in.guest.push(4)
	stack[2], stack[3] = uint64(align), uint64(size)
	before := in.mayNotLeave
	in.mayNotLeave = true
	if err := o.Realloc.Call(ctx, stack); err != nil {
		return 0, err
	}
	in.mayNotLeave = before
	ptr := uint32(stack[0])
	in.guest.pop(len(stack))
	if mem := o.view(); !inRange(mem, ptr, size, align) {
		return 0, Trapf("realloc returned a wrong place: %v", checkRange(mem, ptr, size, align))
	}
	return ptr, nil
}

// Guest is the state that all component instances of one guest share. It is used by one goroutine
// at a time: the one that runs the guest.
type Guest struct {
	// Host is the state that host functions get: one per guest.
	Host any
	// Copied, unless nil, is called with the number of bytes that a call has copied out of the
	// guest's memory, if there are any. Copying takes time and leaves garbage in proportion.
	Copied func(bytes int)
	// Budget, unless nil, bounds the memory of handles and of values that calls pass. It must be
	// safe for the goroutine that runs the guest.
	Budget Budget
	// held is how many bytes the values of all calls in progress have, and charged how many of them
	// were taken from Budget.
	held, charged int
	// ended is the error that ended the guest.
	ended error
	// call is the record of the call of a host function. There is one at a time: such a function
	// calls the guest by realloc alone, which may call no import.
	call Call
	// stack has the parameters and results of the calls in progress, the innermost last.
	stack []uint64
}

// push returns n zeros for a call's parameters and results, and pop gives the last n back.
func (g *Guest) push(n int) []uint64 {
	top := len(g.stack)
	g.stack = slices.Grow(g.stack, n)[:top+n]
	pushed := g.stack[top : top+n : top+n]
	clear(pushed)
	return pushed
}

func (g *Guest) pop(n int) { g.stack = g.stack[:len(g.stack)-n] }

// end notes the error that ends the guest: nothing of it is called afterwards.
func (g *Guest) end(err error) error {
	if g.ended == nil {
		g.ended = err
	}
	return err
}

// Instance is a component instance: a table of handles, and flags that tell which calls are allowed
// (CanonicalABI.md, "Component instance state").
type Instance struct {
	guest  *Guest
	parent *Instance
	depth  int
	// number is that of wit.Resource.Instance, for the resources that the instance defines.
	number int
	// mayNotLeave is true while realloc or post-return runs; entered while a call is in progress.
	mayNotLeave bool
	entered     bool
	table       table
}

// NewInstance makes the component instance with a number, which is at least 1 and as in
// wit.Resource. parent is the instance that made it by its definitions, nil for the outermost.
func (g *Guest) NewInstance(number int, parent *Instance) *Instance {
	in := &Instance{guest: g, number: number, parent: parent}
	g.call.guest = g
	if parent != nil {
		in.depth = parent.depth + 1
	}
	return in
}

// task is a call into a component instance.
type task struct {
	// borrows counts the borrow handles that were made for the call and not dropped.
	borrows int
}

// enter marks in and its parents as entered, less from and its parents. from is nil for the host. A
// call into an instance that was entered before is a trap.
func (in *Instance) enter(from *Instance) error {
	if in.guest.ended != nil {
		return in.guest.ended
	}
	outside := in.commonParent(from)
	for i := in; i != outside; i = i.parent {
		if i.entered {
			return in.guest.end(Trapf(
				"a component instance was called while it waits for a call to return"))
		}
	}
	for i := in; i != outside; i = i.parent {
		i.entered = true
	}
	return nil
}

// leave undoes enter.
func (in *Instance) leave(from *Instance) {
	outside := in.commonParent(from)
	for i := in; i != outside; i = i.parent {
		i.entered = false
	}
}

// commonParent returns the innermost instance that in and from both are or are made by, nil if
// there is none.
func (in *Instance) commonParent(from *Instance) *Instance {
	if from == nil {
		return nil
	}
	for in != from {
		switch {
		case in.depth == from.depth && in.depth == 0:
			return nil
		case in.depth >= from.depth:
			if in.depth == from.depth {
				from = from.parent
			}
			in = in.parent
		default:
			from = from.parent
		}
	}
	return in
}
