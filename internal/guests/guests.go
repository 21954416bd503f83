// Package testguests holds the guests that tests run, each a C program in the folder src. The
// comment at the head of each C file describes the program, its arguments and its output. `make
// guests` builds them.
package testguests

import "embed"

// FS holds the modules by their file names, tcp_server.wasm and so on.
//
//go:embed *.wasm
var FS embed.FS
