package engine

import (
	"os"
	"testing"
)

// TestMemoryShift has a module with a stack that ends at 64 KiB, where its data begins. A shift
// puts both into one page, and leaves the rest of that to the stack.
func TestMemoryShift(t *testing.T) {
	const module = "\x00asm\x01\x00\x00\x00" +
		"\x05\x03\x01\x00\x02" +
		"\x06\x08\x01\x7f\x01\x41\x80\x80\x04\x0b" +
		"\x0b\x0c\x01\x00\x41\x80\x80\x04\x0b\x04data"
	if os.Getpagesize() != 4096 {
		t.Log("the figure is of pages of 4 KiB")
		return
	}
	if got, want := placementOf([]byte(module)).memoryShift, uint64(4096-3*64); got != want {
		t.Errorf("got a shift of %d, want %d: data and zeros of 132 bytes end within the page", got,
			want)
	}
	if got := placementOf([]byte(module[:8])).memoryShift; got != 0 {
		t.Errorf("an empty module: got a shift of %d, want 0", got)
	}
}
