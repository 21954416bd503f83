//go:build !race

package system

import (
	"sync/atomic"
	"unsafe"
)

// currentImport is the name of the import that a thread has called; nil while it computes. Any
// goroutine may get it; the thread alone sets it, twice in each call.
//
// Go's only atomic store is sequentially consistent, which takes as long as the rest of a small
// call. Nothing is ordered by this one: a reader may find the name of a moment ago. So it is a
// plain store of one word, of which a reader gets either value (The Go Memory Model, on programs
// with data races). The names are variables that never change. The race detector cannot know that,
// and has a form of its own.
type currentImport struct{ name *string }

func (c *currentImport) set(name *string) { c.name = name }

func (c *currentImport) get() *string {
	return (*string)(atomic.LoadPointer((*unsafe.Pointer)(unsafe.Pointer(&c.name))))
}
