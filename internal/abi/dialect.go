package abi

import (
	"slices"
	"strings"
)

// Dialect is an interface between guests and hosts, as the imports of a module tell it.
type Dialect string

// The dialects that recognise tells apart. They are named for the reader of a message.
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
	Emscripten Dialect = "Emscripten"
	Browser    Dialect = "wasm-bindgen (a browser's JavaScript)"
	GoJS       Dialect = "Go's GOOS=js"
	Unknown    Dialect = "functions of its own host"
)

// wasmEdgeMixed is what a module speaks that has imports of both versions, as those built with the
// Rust crate wasmedge_wasi_socket do.
const wasmEdgeMixed Dialect = "WasmEdge's sockets (V1 and V2, mixed)"

// order is the order in which the dialects of a module are listed.
var order = []Dialect{
	Preview1, WAMR, Wasport, Threads, WasmEdge, WasmEdgeV1, WasmEdgeV2, WASIX, WASIX32, WASIX64, Preview2,
	Emscripten, Browser, GoJS, Unknown,
}

// Foreign reports whether this is a dialect of other hosts, whose functions cannot be supplied.
func (d Dialect) Foreign() bool {
	return !slices.Contains([]Dialect{Preview1, WAMR, Wasport, Threads, Unknown}, d)
}

// wasip1 are the modules of preview 1, which WAMR and WasmEdge have put their functions into.
var wasip1 = []string{"wasi_snapshot_preview1", "wasi_unstable"}

// wasmEdge has WasmEdge's functions with the letters of their parameters, as in Function.Params;
// each returns an i32. No two dialects share both a name and its parameters, so a row decides by
// itself. Functions that preview 1 and WAMR have alike (sock_recv, sock_send, sock_shutdown,
// sock_listen, and sock_accept of V2) are not listed. Sources: WasmEdge's
// lib/host/wasi/wasimodule.cpp, which registers V1 and V2 side by side, and the Rust crate
// wasmedge_wasi_socket 0.5.5.
var wasmEdge = []struct {
	name, params string
	dialect      Dialect
}{
	{"sock_open", "iii", WasmEdge},
	{"sock_bind", "iii", WasmEdge},
	{"sock_connect", "iii", WasmEdge},
	{"sock_send_to", "iiiiiii", WasmEdge},
	{"sock_getsockopt", "iiiii", WasmEdge},
	{"sock_setsockopt", "iiiii", WasmEdge},
	{"sock_getaddrinfo", "iiiiiiii", WasmEdge},
	{"epoll_oneoff", "iiii", WasmEdge},

	{"sock_accept", "ii", WasmEdgeV1},
	{"sock_recv_from", "iiiiiii", WasmEdgeV1},
	{"sock_getlocaladdr", "iiii", WasmEdgeV1},
	{"sock_getpeeraddr", "iiii", WasmEdgeV1},

	{"sock_recv_from", "iiiiiiii", WasmEdgeV2},
	{"sock_getlocaladdr", "iii", WasmEdgeV2},
	{"sock_getpeeraddr", "iii", WasmEdgeV2},
	{"sock_open_v2", "iii", WasmEdgeV2},
	{"sock_bind_v2", "iii", WasmEdgeV2},
	{"sock_connect_v2", "iii", WasmEdgeV2},
	{"sock_listen_v2", "ii", WasmEdgeV2},
	{"sock_accept_v2", "iii", WasmEdgeV2},
	{"sock_recv_v2", "iiiiii", WasmEdgeV2},
	{"sock_recv_from_v2", "iiiiiiii", WasmEdgeV2},
	{"sock_send_v2", "iiiii", WasmEdgeV2},
	{"sock_send_to_v2", "iiiiiii", WasmEdgeV2},
	{"sock_getlocaladdr_v2", "iii", WasmEdgeV2},
	{"sock_getpeeraddr_v2", "iii", WasmEdgeV2},
}

// foreign recognises dialects by the module and the name of an import. A pattern that ends in "*"
// fits each continuation; the first row that fits counts.
var foreign = []struct {
	module, name string
	dialect      Dialect
}{
	{"wasix_32v1", "*", WASIX32}, // the WASIX repository's wasix-witx
	{"wasix_64v1", "*", WASIX64},
	{"wasix_*", "*", WASIX},
	{"wasi:*", "*", Preview2}, // the names of WASI's WIT packages
	{"env", "emscripten_*", Emscripten},
	{"env", "__syscall_*", Emscripten},
	{"__wbindgen_*", "*", Browser}, // wasm-bindgen's command line interface
	{"wbg", "*", Browser},
	{"gojs", "*", GoJS}, // Go's lib/wasm/wasm_exec.js
}

func fits(pattern, s string) bool {
	start, open := strings.CutSuffix(pattern, "*")
	return s == pattern || open && strings.HasPrefix(s, start)
}

// Import is a function that a module imports, with its type in words, such as "(i32, i64) -> i32".
type Import struct{ Module, Name, Type string }

// Dialects tells which dialects a module was built for, by its imports. Each import counts by its
// own name and type, since modules mix dialects. An import that no dialect has is Unknown.
func Dialects(imports []Import) []Dialect {
	spoken := make(map[Dialect]bool)
	listens := false
	for _, i := range imports {
		d := recognise(i)
		if d == WAMR && i.Name == "sock_listen" { // which WasmEdge has with the same type
			listens = true
			continue
		}
		spoken[d] = true
	}
	if listens && !spoken[WasmEdge] && !spoken[WasmEdgeV1] && !spoken[WasmEdgeV2] {
		spoken[WAMR] = true
	}
	list := slices.DeleteFunc(slices.Clone(order), func(d Dialect) bool { return !spoken[d] })
	if v1, v2 := spoken[WasmEdgeV1], spoken[WasmEdgeV2]; v1 || v2 {
		list = slices.DeleteFunc(list, func(d Dialect) bool {
			return d == WasmEdge || v1 && d == WasmEdgeV2
		})
		if v1 && v2 {
			list[slices.Index(list, WasmEdgeV1)] = wasmEdgeMixed
		}
	}
	return list
}

// letters turns a type in words into the letters of a Function, with " -> " before the results.
var letters = strings.NewReplacer("i32", "i", "i64", "I", ", ", "", "(", "", ")", "")

func recognise(i Import) Dialect {
	if i.Module == "wasi" && i.Name == "thread-spawn" {
		return Threads
	}
	params, results, _ := strings.Cut(letters.Replace(i.Type), " -> ")
	if f, ok := Lookup(i.Module, i.Name); ok && f.Params == params && f.Results == results {
		return ours(i)
	}
	if slices.Contains(wasip1, i.Module) && results == "i" {
		for _, f := range wasmEdge {
			if f.name == i.Name && f.params == params {
				return f.dialect
			}
		}
	}
	for _, f := range foreign {
		if fits(f.module, i.Module) && fits(f.name, i.Name) {
			return f.dialect
		}
	}
	return Unknown
}

// ours tells the dialect of a function that is in the tables.
func ours(i Import) Dialect {
	switch {
	case !slices.Contains(wasip1, i.Module):
		return Wasport
	case slices.ContainsFunc(preview1, func(f Function) bool { return f.Name == i.Name }):
		return Preview1
	}
	return WAMR
}
