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

// delayCollections puts the first collection of garbage off until the heap has 64 MiB. The usual
// setting returns with that collection, or once endDelay is called. Little of what a compilation
// allocates becomes garbage at once, and a small module takes less than 64 MiB. It leaves a setting
// of GOGC as it is.
func delayCollections() (endDelay func()) {
	if was := debug.SetGCPercent(compilingPercent); was != usualPercent {
		debug.SetGCPercent(was)
		return func() {}
	}
	endDelay = sync.OnceFunc(func() { debug.SetGCPercent(usualPercent) })
	// The first collection finds the object, with no other reference to it.
	runtime.AddCleanup(new([16]byte), func(endDelay func()) { endDelay() }, endDelay)
	return endDelay
}
