package testutil

import (
	"encoding/binary"
	"slices"
)

// WithLines returns a module with DWARF of version 4 added, by which all of its code is in line 1
// of a file.
func WithLines(module []byte, file string) []byte {
	sized := func(parts ...[]byte) []byte {
		all := slices.Concat(parts...)
		return append(binary.LittleEndian.AppendUint32(nil, uint32(len(all))), all...)
	}
	section := func(name string, content []byte) []byte {
		all := append(binary.AppendUvarint(nil, uint64(len(name))), name...)
		all = append(all, content...)
		return append(binary.AppendUvarint([]byte{0}, uint64(len(all))), all...)
	}
	const start, end = 1, 0x7fffff
	addresses := binary.LittleEndian.AppendUint32(nil, start)
	addresses = binary.LittleEndian.AppendUint32(addresses, end-start)
	header := slices.Concat([]byte{1, 1, 1, 0, 1, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0}, []byte(file),
		[]byte{0, 0, 0, 0, 0})
	program := []byte{0, 5, 2, start, 0, 0, 0, 1, 0, 5, 2, 0xff, 0xff, 0x7f, 0, 0, 1, 1}
	return slices.Concat(module,
		section(".debug_abbrev", []byte{1, 0x11, 0, 0x10, 0x17, 0x11, 1, 0x12, 6, 0, 0, 0}),
		section(".debug_info", sized([]byte{4, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0}, addresses)),
		section(".debug_line", sized([]byte{4, 0}, sized(header), program)))
}
