// Package guestc compiles programs in C and C++ for wasport. It carries the headers and the library
// that they need, finds a compiler and a C library on the machine, and puts these together.
//
// The headers in the folder include and the sources in src document themselves; ABI.md documents
// the host's functions. The flags of `wasport cc` belong to cmd/wasport.
package guestc

import "embed"

//go:embed all:include src
var embedded embed.FS

// The packages of Debian 12 that have the parts. In other versions their numbers differ.
const (
	packagesC   = "clang lld llvm wasi-libc libclang-rt-14-dev-wasm32"
	packagesCXX = "libc++-14-dev-wasm32 libc++abi-14-dev-wasm32"
)
