//go:build !386 && !arm && !mips && !mipsle

// Processes of 32 bits have less address space than these tests reserve.

package integration_test

import (
	"slices"
	"testing"

	"github.com/wasport/wasport"
)

// TestSparse4GiBMemory starts guests with 4 GiB of memory, which touch three pages of it.
func TestSparse4GiBMemory(t *testing.T) {
	var sizes []int
	before := measureFootprint(t).resident
	checkRunsWithin(t, "vast", wasport.Config{Random: readHook(func() {
		sizes = append(sizes, measureFootprint(t).resident-before)
	})}, bound{"start, three pages touched, end", 10})
	if size := slices.Min(sizes); size > 8<<20 {
		t.Errorf("got %d resident bytes for three pages, want at most %d", size, 8<<20)
	}
}
