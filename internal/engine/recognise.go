package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// kind tells a core module from a component.
type kind uint8

const (
	moduleKind kind = iota
	componentKind
)

// componentVersion is the version of the component model that WASI 0.2 uses (component model,
// Binary.md, "Component Definitions").
const componentVersion = 0xd

// recognise tells what a binary holds by its first 8 bytes: a version of 16 bits, and a layer of 16
// bits that is 1 for components. Its errors name the usual mistakes: another format, a truncated
// file.
func recognise(b []byte) (kind, error) {
	const size = 8
	switch {
	case len(b) == 0:
		return 0, errors.New("the file is empty")
	case !bytes.HasPrefix(b, []byte("\x00asm")[:min(len(b), 4)]):
		return 0, fmt.Errorf("this is %s", otherFormat(b))
	case len(b) < size:
		return 0, errors.New("the module is cut off in its first 8 bytes")
	}
	switch v := binary.LittleEndian.Uint32(b[4:]); {
	case v == 1:
		return moduleKind, nil
	case v == 1<<16|componentVersion:
		return componentKind, nil
	case v>>16 == 1:
		return 0, fmt.Errorf("a component built for another version of the component model, %#x; "+
			"only %#x is known, that of WASI 0.2", v&0xffff, componentVersion)
	default:
		return 0, fmt.Errorf("WebAssembly of version %d; only version 1 is known", v)
	}
}

// otherFormats are files that are taken for modules, by their first bytes.
var otherFormats = []struct{ magic, name string }{
	{"\x00aot", "a module that wamrc has compiled for iwasm; name the .wasm file it was made of"},
	{"\x1f\x8b", "compressed by gzip; decompress it first"},
	{"\x28\xb5\x2f\xfd", "compressed by zstd; decompress it first"},
	{"PK\x03\x04", "a zip archive; extract the module from it"},
	{"!<arch>\n", "a library of object files; link it first, as wasport cc does"},
	{"BC\xc0\xde", "bitcode of LLVM; link it first, as wasport cc does"},
	{"\x7fELF", "a native program, not WebAssembly"},
	{"MZ", "a native program of Windows, not WebAssembly"},
	{"\xcf\xfa\xed\xfe", "a native program of macOS, not WebAssembly"},
	{"#!", "a script, not WebAssembly"},
}

// otherFormat names the format of a file without the magic number of WebAssembly.
func otherFormat(b []byte) string {
	for _, f := range otherFormats {
		if bytes.HasPrefix(b, []byte(f.magic)) {
			return f.name
		}
	}
	text := bytes.TrimSpace(b[:min(len(b), 64)])
	if bytes.HasPrefix(text, []byte("(")) || bytes.HasPrefix(text, []byte(";;")) {
		return "WebAssembly text; it must be assembled first, with wat2wasm for instance"
	}
	return "not WebAssembly: it does not start with \\0asm"
}
