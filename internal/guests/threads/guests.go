// Package threadguests holds guests with threads, which tests run, each a C program in the folder
// src. The comment at the head of each C file says what the program does, its arguments and what it
// prints. build.sh builds them, with what is in guest.c and start.s in place of a C library.
package threadguests

import "embed"

// FS holds the modules by their file names, echo.wasm and so on.
//
//go:embed *.wasm
var FS embed.FS
