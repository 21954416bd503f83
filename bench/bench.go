// Package bench holds workloads, and benchmarks that run each of them alternately as a guest and as
// a native program. docs/performance.md describes the measurements.
//
// `make guests` builds the modules; the benchmarks build the native programs, by cc.
package bench

import "embed"

// Modules are the workloads as guests. Those in component are components for WASI 0.2, made of
// twins of the sources.
//
//go:embed *.wasm component/*.wasm
var Modules embed.FS

// Sources are the workloads.
//
//go:embed src
var Sources embed.FS
