// Package binarytest puts the bytes of components together, for tests that write them by hand.
package binarytest

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Preamble is how a component begins, and CorePreamble how a core module does.
var (
	Preamble     = []byte("\x00asm\x0d\x00\x01\x00")
	CorePreamble = []byte("\x00asm\x01\x00\x00\x00")
)

// Bytes puts parts together: an int is a byte, a string is a name with its length, and a uint32 a
// number in LEB128.
func Bytes(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case uint32:
			b = binary.AppendUvarint(b, uint64(p))
		case string:
			b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
		case []byte:
			b = append(b, p...)
		default:
			panic(fmt.Sprintf("a part of type %T", p))
		}
	}
	return b
}

// Section is a section with a body of parts.
func Section(id int, body ...any) []byte {
	b := Bytes(body...)
	return Bytes(id, uint32(len(b)), b)
}

// Vector is a section with a vector of items.
func Vector(id int, items ...[]byte) []byte {
	return Section(id, uint32(len(items)), slices.Concat(items...))
}

// Component is a component of sections.
func Component(sections ...[]byte) []byte {
	return append(slices.Clone(Preamble), slices.Concat(sections...)...)
}

// Core is a core module of sections.
func Core(sections ...[]byte) []byte {
	return append(slices.Clone(CorePreamble), slices.Concat(sections...)...)
}
