package engine

import "github.com/tetratelabs/wazero/api"

// words are the indices of the values of type i32 and f32 among values of wazero. Compiled code
// leaves anything in the upper halves of such values, such as the rest of an i64 that it has
// wrapped, and may take the upper half of one that it gets for a part of the value.
type words []int

func findWords(types []api.ValueType) (w words) {
	at := 0
	for i, v := range types {
		if v == api.ValueTypeI32 || v == api.ValueTypeF32 {
			w = append(w, at)
		}
		elements, _ := countValues(types[i : i+1])
		at += elements
	}
	return w
}

// narrow clears the upper halves.
func (w words) narrow(values []uint64) {
	for _, i := range w {
		values[i] = uint64(uint32(values[i]))
	}
}
