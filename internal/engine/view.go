package engine

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/tetratelabs/wazero/api"
)

var (
	errNoMemory = errors.New("the guest has no memory")
	errUnmapped = errors.New("the guest's memory is gone, since the guest has ended")
)

// RangeError is the error of an access to linear memory beyond its end.
type RangeError struct{ Offset, Length, Size uint64 }

func (e *RangeError) Error() string {
	return fmt.Sprintf("%d bytes at %d are not within the guest's memory of %d bytes", e.Length,
		e.Offset, e.Size)
}

// view calls f with length bytes of the guest's memory at an offset. Any goroutine may call it, at
// any time, if the module was rewritten; f must neither keep the bytes nor call the guest. Other
// threads may change the bytes meanwhile. The error is a *RangeError if they are out of range.
func (t *thread) view(offset, length uint64, f func([]byte)) (err error) {
	viewErr := t.viewAll(func(all []byte) {
		size := uint64(len(all))
		if offset > size || length > size-offset {
			err = &RangeError{offset, length, size}
			return
		}
		f(all[offset : offset+length])
	})
	if viewErr != nil {
		return viewErr
	}
	return err
}

// viewAll calls f with all of the guest's memory.
func (t *thread) viewAll(f func([]byte)) error {
	mem := t.mod.Memory()
	if mem == nil || reflect.ValueOf(mem).IsNil() { // as in abi.Caller.Memory
		return errNoMemory
	}
	if t.inst.memory == nil {
		f(t.Memory(t.mod))
		return nil
	}
	// The size is read before, since wazero calls the memory with its own lock held.
	visible := t.sharedSize(mem)
	if !t.inst.memory.View(func(all []byte) { f(all[:min(visible, uint64(len(all)))]) }) {
		return errUnmapped
	}
	return nil
}

// sharedSize returns the size of a shared memory that the guest sees, in bytes. It is MaxUint64 for
// one that is not shared: package memory knows its size.
func (t *thread) sharedSize(mem api.Memory) uint64 {
	if t.Shared == nil {
		return math.MaxUint64
	}
	pages, _ := mem.Grow(0) // unlike Size, safe while another thread grows the memory
	return uint64(pages) * pageSize
}

// memorySize returns the size of the guest's memory in bytes, 0 once it is gone. Any goroutine may
// call it if the module was rewritten.
func (t *thread) memorySize() (size uint64) {
	t.viewAll(func(all []byte) { size = uint64(len(all)) })
	return size
}
