package main

import (
	"runtime"
	"runtime/debug"
	"sync"
)

const (
	// usualPercent is Go's setting of GOGC. With it, the first collection is at a heap of 4 MiB.
	usualPercent = 100

	// compilingPercent has the first collection at a heap of 64 MiB.
	compilingPercent = 16 * usualPercent
)

// delayCollections lets the heap grow to 64 MiB before its memory is collected, until it has come
// to that or collect is called. A compilation allocates little that becomes garbage at once, and
// small modules are compiled by then. It leaves a setting of GOGC as it is.
func delayCollections() (collect func()) {
	if was := debug.SetGCPercent(compilingPercent); was != usualPercent {
		debug.SetGCPercent(was)
		return func() {}
	}
	collect = sync.OnceFunc(func() { debug.SetGCPercent(usualPercent) })
	// The first collection finds the object, with no other reference to it.
	runtime.AddCleanup(new([16]byte), func(collect func()) { collect() }, collect)
	return collect
}
