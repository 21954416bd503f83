package wasport

import (
	"context"
	"fmt"

	"github.com/wasport/wasport/internal/engine"
	"github.com/wasport/wasport/internal/printable"
)

// LinearMemory is the memory of an instance, or of the guest that calls a host function. Reads and
// writes are copies, and every address is checked. Another goroutine may use it while the guest
// runs, and then sees the bytes written so far. With RuntimeConfig.NoInterrupt it may not.
type LinearMemory struct{ viewer memoryViewer }

type memoryViewer interface {
	View(offset, length uint64, f func([]byte)) error
	MemorySize() uint64
}

// RangeError is the error of a read or write beyond the end of the guest's memory. Nothing was read
// or written.
type RangeError struct {
	// Offset and Length are the range in bytes, Size the size of the memory.
	Offset, Length, Size uint64
}

func (e *RangeError) Error() string { return (*engine.RangeError)(e).Error() }

// Size returns the size in bytes. It is 0 if the module has no memory or the guest has ended.
func (m LinearMemory) Size() uint64 { return m.viewer.MemorySize() }

// Read returns a copy of length bytes at an offset. It allocates nothing if the range is invalid.
// The error is a *RangeError, or says that there is no memory, or no longer.
func (m LinearMemory) Read(offset, length uint64) (b []byte, err error) {
	err = m.viewer.View(offset, length, func(mem []byte) { b = append(b, mem...) })
	return b, callError(err)
}

// ReadInto fills b with the bytes at an offset. The errors are those of Read.
func (m LinearMemory) ReadInto(b []byte, offset uint64) error {
	return callError(m.viewer.View(offset, uint64(len(b)), func(mem []byte) { copy(b, mem) }))
}

// Write copies b to an offset. The errors are those of Read.
func (m LinearMemory) Write(offset uint64, b []byte) error {
	return callError(m.viewer.View(offset, uint64(len(b)), func(mem []byte) { copy(mem, b) }))
}

// Memory returns the instance's memory. Use Do for reads and writes that belong to a call, if other
// goroutines call the instance.
func (i *Instance) Memory() LinearMemory { return LinearMemory{i.engine} }

// Memory returns the guest's memory.
func (c *Caller) Memory() LinearMemory { return LinearMemory{c.call} }

// Malloc allocates memory in the guest and copies b into it. It calls an exported function with the
// length, as malloc of C and alloc of many Rust modules take it; an empty name is malloc. Free
// gives the memory back. The errors are those of Call, and one if the guest has no memory left or
// returns an address outside of it.
func (i *Instance) Malloc(ctx context.Context, name string, b []byte) (address uint64, err error) {
	return malloc(ctx, i, name, b)
}

// Free gives memory of Malloc back. It calls an exported function with the address and, if the
// function takes two arguments, as dealloc of many Rust modules does, the length. An empty name is
// free. The errors are those of Call.
func (i *Instance) Free(ctx context.Context, name string, address, length uint64) error {
	return free(ctx, i, name, address, length)
}

// Malloc is Instance.Malloc for the guest that calls.
func (c *Caller) Malloc(ctx context.Context, name string, b []byte) (address uint64, err error) {
	return malloc(ctx, c, name, b)
}

// Free is Instance.Free for the guest that calls.
func (c *Caller) Free(ctx context.Context, name string, address, length uint64) error {
	return free(ctx, c, name, address, length)
}

// callee is an Instance or a Caller.
type callee interface {
	Call(ctx context.Context, name string, args ...uint64) ([]uint64, error)
	Memory() LinearMemory
	entry(name string) (engine.Entry, error)
}

func (i *Instance) entry(name string) (engine.Entry, error) { return i.engine.Entry(name) }
func (c *Caller) entry(name string) (engine.Entry, error)   { return c.call.Entry(name) }

func malloc(ctx context.Context, c callee, name string, b []byte) (uint64, error) {
	if name == "" {
		name = "malloc"
	}
	if uint64(len(b)) > c.Memory().Size() {
		return 0, fmt.Errorf("%d bytes do not fit into the guest's memory of %d", len(b),
			c.Memory().Size())
	}
	results, err := c.Call(ctx, name, uint64(len(b)))
	switch {
	case err != nil:
		return 0, err
	case len(results) != 1:
		return 0, fmt.Errorf("function %s returns no address", printable.Name(name))
	case results[0] == 0 && len(b) > 0:
		return 0, fmt.Errorf("the guest has no memory for %d bytes: %s returned 0", len(b),
			printable.Name(name))
	}
	return results[0], c.Memory().Write(results[0], b)
}

func free(ctx context.Context, c callee, name string, address, length uint64) error {
	if name == "" {
		name = "free"
	}
	args := []uint64{address}
	if f, err := c.entry(name); err == nil && len(f.Params) == 2 {
		args = append(args, length)
	}
	_, err := c.Call(ctx, name, args...)
	return err
}
