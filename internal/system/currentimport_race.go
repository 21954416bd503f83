//go:build race

package system

import "sync/atomic"

// currentImport is that of a build without the race detector, with an atomic store.
type currentImport struct{ name atomic.Pointer[string] }

func (c *currentImport) set(name *string) { c.name.Store(name) }
func (c *currentImport) get() *string     { return c.name.Load() }
