// Package components runs the components of another runtime, wazy, which its Go module carries, and
// compares what they print with the output of wasmtime that wazy's authors recorded. rustc, Go's
// compiler and wasm-tools made the components. Nothing of the module is committed here.
//
// Which components are valid is compared with wasmtime itself, of which another module has a
// library.
package components

import (
	_ "github.com/bytecodealliance/wasmtime-go/v39/build/include" // The module has the library.
	_ "github.com/samyfodil/wazy/api"                             // The module has the components.
)
