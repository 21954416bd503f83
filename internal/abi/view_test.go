package abi_test

import (
	"testing"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// TestMemoryThatGrows passes pointers near the end of a memory that grows between the calls, and of
// one that another instance has for the same thread.
func TestMemoryThatGrows(t *testing.T) {
	c := newCaller(t, system.Config{})
	other := c.another()
	random := func(c *caller, ptr uint64, want wasi.Errno) {
		t.Helper()
		if got := c.call("random_get", ptr, 8); got != want {
			t.Errorf("random_get at %#x: got %v, want %v", ptr, got, want)
		}
	}
	random(c, memorySize-8, wasi.Success)
	other.ctx = c.ctx
	random(other, memorySize-8, wasi.Success)
	if b, _ := other.mod.Memory().Read(memorySize-8, 8); string(b) == string(make([]byte, 8)) {
		t.Error("got zeros, want random bytes in the memory of the instance that called")
	}
	for size := uint64(memorySize); size < 4*memorySize; size += memorySize {
		random(c, size, wasi.EFAULT)
		if _, ok := c.mod.Memory().Grow(1); !ok {
			t.Fatal("the memory does not grow")
		}
		random(c, size, wasi.Success)
		if b, _ := c.mod.Memory().Read(uint32(size), 8); string(b) == string(make([]byte, 8)) {
			t.Errorf("got zeros at %#x, want random bytes in the memory as it is now", size)
		}
	}
	random(other, memorySize, wasi.EFAULT)
	random(c, 4*memorySize-8, wasi.Success)
}
