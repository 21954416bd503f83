// Package demo holds the guests that `wasport demo` runs. They are ordinary socket programs in C,
// in the folder src, which `make guests` compiles; nothing in them is made for the demonstration
// but that they are short.
package demo

import "embed"

// FS holds the modules by their file names, demo_tcp_server.wasm and so on.
//
//go:embed *.wasm
var FS embed.FS
