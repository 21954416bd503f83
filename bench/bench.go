// Package bench holds the workloads that guests are measured by, and the benchmarks that run each
// of them in turn as a guest and as a native program. What they measure and how is told in
// docs/performance.md.
//
// The modules beside the sources are built by `make guests`; the native programs are built when the
// benchmarks run, by cc.
package bench

import "embed"

// Modules are the workloads as guests.
//
//go:embed *.wasm
var Modules embed.FS

// Sources are the workloads.
//
//go:embed src
var Sources embed.FS
