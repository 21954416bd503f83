package abi

import (
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

// TestTraceOfFailedCallHasCount formats lists that a call has not filled, or that lie outside of
// the memory.
func TestTraceOfFailedCallHasCount(t *testing.T) {
	var empty wasi.MemoryView
	list := []uint64{1<<32 + 0x1000, 1<<32 + 3} // the engine leaves the upper half undefined
	const want = "0x1000, 3"
	for _, kinds := range []string{"V-", "F-xo"} {
		if got := outputText(empty, kinds, list, wasi.EBADF); got != want {
			t.Errorf("%s of a call that failed: got %q, want %q", kinds, got, want)
		}
	}
	if got := inputText(empty, 'v', list); got != want {
		t.Errorf("a list to send: got %q, want %q", got, want)
	}
	if got := outputText(empty, "Ao", list, wasi.EBADF); got != "0x1000" {
		t.Errorf("an address: got %q, want no count", got)
	}
}
