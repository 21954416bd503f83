// Package wasmedge runs programs on github.com/stealthrocket/net, which speaks WasmEdge's socket
// functions (V2), as guests.
//
// It is a module of its own so that wasport's has none of these dependencies. Its tests run the
// same .wasm on another host, wasirun of github.com/stealthrocket/wasi-go, and compare the outputs.
package wasmedge
