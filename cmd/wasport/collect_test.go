package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// percent returns the setting of GOGC.
func percent() int {
	is := debug.SetGCPercent(usualPercent)
	debug.SetGCPercent(is)
	return is
}

func TestDelayCollections(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(usualPercent))
	endDelay := delayCollections()
	if got := percent(); got != compilingPercent {
		t.Errorf("while compiling: got %d, want %d", got, compilingPercent)
	}
	endDelay()
	if got := percent(); got != usualPercent {
		t.Errorf("after the compilation: got %d, want %d", got, usualPercent)
	}

	debug.SetGCPercent(70)
	delayCollections()()
	if got := percent(); got != 70 {
		t.Errorf("with a setting of the user's: got %d, want 70", got)
	}
}

// TestCollectionEndsDelay collects memory before the compilation has ended, as a large module makes
// necessary. The setting is the usual one from then on.
func TestCollectionEndsDelay(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(usualPercent))
	endDelay := delayCollections()
	for n := 0; percent() != usualPercent; n++ {
		if n == 1000 {
			t.Fatal("got the setting kept after a thousand collections, want it as usual")
		}
		runtime.GC()
	}
	endDelay()
}
