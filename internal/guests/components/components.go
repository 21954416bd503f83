// Package componentguests holds components for WASI 0.2 that tests run, each a program in C or Rust
// or a component in text in the folder src. The comment at the head of each source describes the
// component, its arguments and its output. `make components` builds them: clang makes a core module
// of C with src/wasi.h, and wasm-tools a component of that, with the interfaces of wasi.wit. rustc
// makes a core module for WASI preview 1, and wasm-tools adds an adapter.
package componentguests

import "embed"

// FS holds the components by their file names, hello.wasm and so on.
//
//go:embed *.wasm
var FS embed.FS

// TCPClient is tcp_client.wasm, for programs that need no other.
//
//go:embed tcp_client.wasm
var TCPClient []byte
