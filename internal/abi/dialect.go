package abi

import (
	"slices"
	"strings"
)

// Dialect names an interface between guests and hosts, as the imports of a module reveal it.
type Dialect string

// The dialects that are told apart, with names for messages.
const (
	Preview1   Dialect = "WASI preview 1"
	WAMR       Dialect = "WAMR's sockets"
	Wasport    Dialect = "wasport's sockets"
	Threads    Dialect = "wasi-threads"
	WasmEdge   Dialect = "WasmEdge's sockets"
	WasmEdgeV1 Dialect = "WasmEdge's sockets (V1, before WasmEdge 0.12)"
	WasmEdgeV2 Dialect = "WasmEdge's sockets (V2, since WasmEdge 0.12)"
	WASIX      Dialect = "WASIX"
	WASIX32    Dialect = "WASIX (wasix_32v1)"
	WASIX64    Dialect = "WASIX (wasix_64v1)"
	Preview2   Dialect = "WASI preview 2 (the core module of a component)"
	Component  Dialect = "WASI 0.2"
	Emscripten Dialect = "Emscripten"
	Browser    Dialect = "wasm-bindgen (a browser's JavaScript)"
	GoJS       Dialect = "Go's GOOS=js"
	Unknown    Dialect = "functions of its own host"
)

// wasmEdgeMixed stands for a module with imports of both versions, such as those built with the
// Rust crate wasmedge_wasi_socket.
const wasmEdgeMixed Dialect = "WasmEdge's sockets (V1 and V2, mixed)"

// dialectOrder is the order in which Dialects returns them.
var dialectOrder = []Dialect{
	Preview1, WAMR, Wasport, Threads, WasmEdge, WasmEdgeV1, WasmEdgeV2, Component, WASIX, WASIX32,
	WASIX64, Preview2,
	Emscripten, Browser, GoJS, Unknown,
}

// Foreign reports whether the dialect belongs to other hosts, so that its functions cannot be
// supplied.
func (d Dialect) Foreign() bool {
	return slices.Index(dialectOrder, d) >= slices.Index(dialectOrder, WASIX) && d != Unknown
}

// foreignImports recognises dialects by the two names of an import. A pattern that ends in "*"
// matches a prefix. The first row that matches counts.
var foreignImports = []struct {
	module, name string
	dialect      Dialect
}{
	{"wasix_32v1", "*", WASIX32}, // WASIX's wasix-witx repository
	{"wasix_64v1", "*", WASIX64},
	{"wasix_*", "*", WASIX},
	{"wasi:*", "*", Preview2}, // package names of WASI's WIT files
	{"env", "emscripten_*", Emscripten},
	{"env", "__syscall_*", Emscripten},
	{"__wbindgen_*", "*", Browser}, // wasm-bindgen's wasm-bindgen-cli-support
	{"wbg", "*", Browser},
	{"gojs", "*", GoJS}, // Go's lib/wasm/wasm_exec.js
}

func matches(pattern, s string) bool {
	start, open := strings.CutSuffix(pattern, "*")
	return s == pattern || open && strings.HasPrefix(s, start)
}

// Import is an imported function. Type is its signature, such as "(i32, i64) -> i32".
type Import struct{ Module, Name, Type string }

// Dialects returns the dialects that a module was built for. Each import counts by its own names
// and type, since modules mix dialects. An import that no dialect has is Unknown.
func Dialects(imports []Import) []Dialect {
	found := make(map[Dialect]bool)
	importsListen := false
	for _, i := range imports {
		d := dialectOf(i)
		if d == WAMR && i.Name == "sock_listen" { // WasmEdge has it with the same type
			importsListen = true
			continue
		}
		found[d] = true
	}
	if importsListen && !found[WasmEdge] && !found[WasmEdgeV1] && !found[WasmEdgeV2] {
		found[WAMR] = true
	}
	list := slices.DeleteFunc(slices.Clone(dialectOrder), func(d Dialect) bool { return !found[d] })
	if v1, v2 := found[WasmEdgeV1], found[WasmEdgeV2]; v1 || v2 {
		list = slices.DeleteFunc(list, func(d Dialect) bool {
			return d == WasmEdge || v1 && d == WasmEdgeV2
		})
		if v1 && v2 {
			list[slices.Index(list, WasmEdgeV1)] = wasmEdgeMixed
		}
	}
	return list
}

// typeLetters turns a signature into the letters of a Function, with " -> " before the results.
var typeLetters = strings.NewReplacer("i32", "i", "i64", "I", ", ", "", "(", "", ")", "")

// isCoreType reports whether a signature has types of core WebAssembly alone. Those of WIT begin
// with a label, which ends in a colon, or have a result that core WebAssembly lacks.
func isCoreType(signature string) bool {
	for _, word := range strings.FieldsFunc(signature, func(r rune) bool {
		return strings.ContainsRune("(), ->", r)
	}) {
		switch word {
		case "i32", "i64", "f32", "f64", "v128", "funcref", "externref":
		default:
			return false
		}
	}
	return true
}

func dialectOf(i Import) Dialect {
	if i.Module == "wasi" && i.Name == "thread-spawn" {
		return Threads
	}
	params, results, _ := strings.Cut(typeLetters.Replace(i.Type), " -> ")
	if f, ok := Lookup(i.Module, i.Name, params, results); ok {
		return dialects()[f]
	}
	if strings.HasPrefix(i.Module, "wasi:") && !isCoreType(i.Type) {
		return Component
	}
	for _, f := range foreignImports {
		if matches(f.module, i.Module) && matches(f.name, i.Name) {
			return f.dialect
		}
	}
	return Unknown
}
