package main

// growStack grows the stack of the calling goroutine to 64 KiB. The runtime looks for that before
// the function's first instruction, whether or not it uses its frame.
//
// A stack that grows where it is needed is copied three times, the last time deep within the
// compiler. Each time the runtime looks up all frames, in tables that the process has not touched
// yet: up to a twelfth of the time of a cached start.
//
//go:noinline
func growStack() byte {
	if !usesFrame {
		return 0
	}
	var frame [48 << 10]byte
	return frame[frameIndex]
}

// The compiler does not know that these never change.
var (
	usesFrame  bool
	frameIndex int
)
