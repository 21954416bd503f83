package integration_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/wasport/wasport"
)

// runSlots calls an export of slots.wat.
func runSlots(m *wasport.Module, function string, params ...uint64) error {
	_, err := m.Run(context.Background(), wasport.Config{Function: function, Params: params})
	return err
}

// TestNextGuestFindsZeros has a guest fill its memory, after growing it, and end. The next one
// reads every byte that it can grow to.
func TestNextGuestFindsZeros(t *testing.T) {
	m := compileTestdata(t, "slots")
	for _, pages := range []uint64{0, 1, 2, 10, 38} {
		t.Run(fmt.Sprint(pages), func(t *testing.T) {
			for _, then := range []uint64{0, 1, 2, 38} {
				if err := runSlots(m, "fill", pages); err != nil {
					t.Fatal(err)
				}
				if err := runSlots(m, "zeros", then); err != nil {
					t.Errorf("grown by %d pages: got %v, want zeros only", then, err)
				}
			}
		})
	}
}

// TestGuestsCannotReachNeighbours has an instance fill a memory beside that of guests that read and
// write beyond the end of theirs, by a byte and by more.
func TestGuestsCannotReachNeighbours(t *testing.T) {
	m := compileTestdata(t, "slots")
	var neighbours []*wasport.Instance
	for range 3 {
		i, err := m.Instantiate(context.Background(), wasport.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		neighbours = append(neighbours, i)
	}
	for _, pages := range []uint64{0, 1, 2} {
		last := uint64(1<<32 - 1) // one before the end
		if err := runSlots(m, "read", pages, last); err != nil {
			t.Errorf("%d pages more, the last byte: got %v, want a byte", pages, err)
		}
		for _, distance := range []uint64{0, 1, 64 << 10, 128 << 10, 256 << 10, 1 << 20} {
			for _, function := range []string{"read", "write"} {
				err := runSlots(m, function, pages, distance)
				var trap *wasport.Trap
				if !errors.As(err, &trap) || trap.Reason != "out of bounds memory access" {
					t.Errorf("%d pages more, %s %d bytes beyond: got %v, want a trap", pages,
						function, distance, err)
				}
			}
		}
	}
	for n, i := range neighbours {
		if _, err := i.Call(context.Background(), "zeros", 0); err != nil {
			t.Errorf("neighbour %d: got %v, want zeros only", n, err)
		}
	}
}

// TestStartAllocatesLittle bounds the allocations of a guest that ends at once.
func TestStartAllocatesLittle(t *testing.T) {
	if !canMeasure || interpreted() {
		t.Log("the figure is of compiled code, without the race detector")
		return
	}
	m := compileTestdata(t, "nothing")
	count := testing.AllocsPerRun(200, func() {
		if _, err := m.Run(context.Background(), wasport.Config{}); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%.0f allocations for each guest", count)
	const most = 62
	if count > most {
		t.Errorf("got %.0f allocations for each guest, want at most %d", count, most)
	}
}
