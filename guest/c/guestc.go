// Package guestc compiles programs in C and C++ for wasport. It carries the headers and the library
// that they need, finds a compiler and a C library on the machine, and puts these together.
//
// What wasport's headers and library are about is told where they are, in the folders include and
// src. What a user can say on the command line is up to cmd/wasport.
package guestc

import "embed"

//go:embed all:include src
var files embed.FS

// Debian's packages that it takes, for its version 12; for others the number is another.
const (
	packagesC   = "clang lld llvm wasi-libc libclang-rt-14-dev-wasm32"
	packagesCXX = "libc++-14-dev-wasm32 libc++abi-14-dev-wasm32"
)
