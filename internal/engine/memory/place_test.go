package memory

import "testing"

// TestPlace has a stack below data, as LLVM's linker places them, and counts the pages.
func TestPlace(t *testing.T) {
	if systemPage != 4096 {
		t.Log("the figures are of pages of 4 KiB")
		return
	}
	const top = 1 << 20
	stack := Range{top - 1152, top}
	for _, test := range []struct {
		name      string
		others    []Range
		want      uint64
		unshifted uint64
	}{
		{"nothing else", nil, 1, 1},
		{"little data", []Range{{top, top + 100}}, 1, 2},
		{"a page of both", []Range{{top, top + 2500}, {top + 2500, top + 2944}}, 1, 2},
		{"more than a page", []Range{{top, top + 2945}}, 2, 2},
		{"two pages and a part", []Range{{top, top + 2*4096 + 900}}, 3, 4},
		{"a hole", []Range{{top, top + 64}, {top + 3*4096 - 100, top + 3*4096 + 100}}, 2, 4},
		{"data first", []Range{{1024, 3000}, {top, top + 16}}, 2, 3},
		{"empty and reversed", []Range{{top, top}, {top + 9000, top}}, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			shift := Place(stack, test.others)
			if shift%cacheLine != 0 || shift >= systemPage {
				t.Errorf("got a shift of %d, want a line of a page", shift)
			}
			all := append([]Range{stack}, test.others...)
			if test.name == "data first" {
				all = []Range{test.others[0], stack, test.others[1]}
			}
			if got := pages(all, shift); got != test.want {
				t.Errorf("got %d pages with a shift of %d, want %d", got, shift, test.want)
			}
			if got := pages(all, 0); got != test.unshifted {
				t.Errorf("got %d pages without a shift, want %d", got, test.unshifted)
			}
		})
	}
}

// TestPlaceLeavesRoomBelow has several shifts that are as good: the stack has the room.
func TestPlaceLeavesRoomBelow(t *testing.T) {
	if systemPage != 4096 {
		t.Log("the figures are of pages of 4 KiB")
		return
	}
	const top = 1 << 20
	if shift := Place(Range{top - 1000, top}, []Range{{top, top + 128}}); shift != 4096-128 {
		t.Errorf("got a shift of %d, want %d", shift, 4096-128)
	}
}
