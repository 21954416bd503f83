package integration_test

import (
	"context"
	"testing"

	"github.com/wasport/wasport"
)

// TestAllocationsOfOneGuest bounds the allocations from the start of a guest to its end. The guest
// reads its arguments, its environment and stdin, and writes a line. The interpreter takes more.
func TestAllocationsOfOneGuest(t *testing.T) {
	m, most := compileGuest(t, "stdio"), 86.0
	if interpreted() {
		most = 150
	}
	run := func() {
		if _, err := m.Run(context.Background(), wasport.Config{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := testing.AllocsPerRun(50, run); got > most {
		t.Errorf("got %v allocations, want at most %v", got, most)
	}
}
