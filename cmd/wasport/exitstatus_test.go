package main

import "testing"

// TestExitStatusOfGuestStatus has statuses with low 8 bits of 0, which must not become a success.
func TestExitStatusOfGuestStatus(t *testing.T) {
	for code, want := range map[uint32]int{
		0: 0, 1: 1, 126: 126, 255: 255, 256: 255, 257: 1, 300: 44, 512: 255, 1 << 16: 255,
		1 << 31: 255, 0xffffffff: 255, 0xfffffffe: 254, 0xffffff00: 255,
	} {
		if got := exitStatus(code); got != want {
			t.Errorf("guest status %#x: got %d, want %d", code, got, want)
		}
	}
}
