// Package threadguests holds guests with threads, which tests run, each a C program in the folder
// src. The comment at the head of each C file describes the program, its arguments and its output.
// build.sh builds them; guest.c and start.s replace the C library.
package threadguests

import "embed"

// FS holds the modules by their file names, echo.wasm and so on.
//
//go:embed *.wasm
var FS embed.FS
