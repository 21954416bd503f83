// Package demo holds the guests that `wasport demo` runs: short, ordinary socket programs in C, in
// the folder src, which `make guests` compiles.
package demo

import "embed"

// FS holds the modules by their file names, demo_tcp_server.wasm and so on.
//
//go:embed *.wasm
var FS embed.FS
