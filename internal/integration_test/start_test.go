package integration_test

import (
	"context"
	"testing"

	"github.com/wasport/wasport"
)

// TestAllocationsOfOneGuest bounds the allocations from the start of a guest to its end. The guest
// reads its arguments, its environment and stdin, and writes a line. The interpreter and the race
// detector take more.
func TestAllocationsOfOneGuest(t *testing.T) {
	m, most := compileGuest(t, "stdio"), 100.0
	switch {
	case interpreted():
		most = 150
	case !canMeasure:
		most = 108
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
