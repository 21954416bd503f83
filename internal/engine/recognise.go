package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
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
// bits that is 1 for components. Its errors name the usual mistakes: text, a truncated file.
func recognise(b []byte) (kind, error) {
	const size = 8
	switch {
	case len(b) == 0:
		return 0, errors.New("the file is empty")
	case !bytes.HasPrefix(b, []byte("\x00asm")[:min(len(b), 4)]):
		if strings.HasPrefix(strings.TrimSpace(string(b[:min(len(b), 64)])), "(") {
			return 0, errors.New("this is WebAssembly text; it must be assembled first, with " +
				"wat2wasm for instance")
		}
		return 0, errors.New("this is not WebAssembly: it does not start with \\0asm")
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
