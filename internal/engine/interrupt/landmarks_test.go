package interrupt

import (
	"slices"
	"testing"
)

// TestLandmarks reads the stack pointer and the data of modules.
func TestLandmarks(t *testing.T) {
	const preamble = "\x00asm\x01\x00\x00\x00"
	for _, test := range []struct {
		name, sections string
		top            uint64
		data           []Segment
	}{
		{"nothing", "", 0, nil},
		{"constant first", "\x06\x0d\x02\x7f\x00\x41\x05\x0b\x7f\x01\x41\x80\x80\x04\x0b", 1 << 16,
			nil},
		{"64 bits", "\x06\x06\x01\x7e\x01\x42\x05\x0b", 0, nil},
		{"cut short", "\x06\x06\x01\x7f\x01\x41\x05", 0, nil},
		{"imported value", "\x06\x06\x01\x7f\x01\x23\x00\x0b", 0, nil},
		{"data", "\x0b\x12\x03\x00\x41\x08\x0b\x02ab\x01\x01c\x02\x00\x41\x7f\x0b\x01d", 0,
			[]Segment{{8, 10}, {1<<32 - 1, 1 << 32}}},
		{"data at a global", "\x0b\x0d\x02\x00\x41\x08\x0b\x01a\x00\x23\x00\x0b\x01b", 0,
			[]Segment{{8, 9}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			top, data := Landmarks([]byte(preamble + test.sections))
			if top != test.top || !slices.Equal(data, test.data) {
				t.Errorf("got %d and %v, want %d and %v", top, data, test.top, test.data)
			}
		})
	}
}
