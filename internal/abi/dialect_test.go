package abi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/abi"
)

// functionType returns the signature of a function with these letters of parameters and an i32
// result or none.
func functionType(params, results string) string {
	types := strings.NewReplacer("i", "i32, ", "I", "i64, ")
	s := "(" + strings.TrimSuffix(types.Replace(params), ", ") + ")"
	if results != "" {
		s += " -> " + strings.TrimSuffix(types.Replace(results), ", ")
	}
	return s
}

const wasip1 = "wasi_snapshot_preview1"

func TestDialectsOfImports(t *testing.T) {
	p1 := func(name, params string) abi.Import {
		return abi.Import{Module: wasip1, Name: name, Type: functionType(params, "i")}
	}
	const v1v2 = "WasmEdge's sockets (V1 and V2, mixed)"
	for _, row := range []struct {
		name    string
		imports []abi.Import
		want    []abi.Dialect
	}{
		{"nothing", nil, nil},
		{"preview 1", []abi.Import{p1("fd_read", "iiii"), p1("sock_accept", "iii")},
			[]abi.Dialect{abi.Preview1}},
		{"as wasi_unstable", []abi.Import{{"wasi_unstable", "fd_read", functionType("iiii", "i")}},
			[]abi.Dialect{abi.Preview1}},
		{"no result", []abi.Import{{wasip1, "proc_exit", "(i32)"}}, []abi.Dialect{abi.Preview1}},
		{"WAMR", []abi.Import{p1("sock_open", "iiii"), p1("sock_listen", "ii")},
			[]abi.Dialect{abi.WAMR}},
		{"sock_listen alone", []abi.Import{p1("sock_listen", "ii")}, []abi.Dialect{abi.WAMR}},
		{"an option of WAMR", []abi.Import{p1("sock_set_linger", "iii")}, []abi.Dialect{abi.WAMR}},
		{"WasmEdge", []abi.Import{p1("sock_open", "iii"), p1("sock_listen", "ii")},
			[]abi.Dialect{abi.WasmEdge}},
		{"WasmEdge V1", []abi.Import{p1("sock_open", "iii"), p1("sock_accept", "ii")},
			[]abi.Dialect{abi.WasmEdgeV1}},
		{"WasmEdge V2", []abi.Import{p1("sock_bind", "iii"), p1("sock_recv_from", "iiiiiiii")},
			[]abi.Dialect{abi.WasmEdgeV2}},
		{"WasmEdge V2 by explicit names", []abi.Import{p1("sock_open_v2", "iii")},
			[]abi.Dialect{abi.WasmEdgeV2}},
		{"the Rust crate of WasmEdge",
			[]abi.Import{p1("sock_getlocaladdr", "iiii"), p1("sock_recv_from", "iiiiiiii")},
			[]abi.Dialect{v1v2}},
		{"WAMR and WasmEdge", []abi.Import{p1("sock_bind", "ii"), p1("sock_connect", "iii"),
			p1("fd_write", "iiii")},
			[]abi.Dialect{abi.Preview1, abi.WAMR, abi.WasmEdge}},
		{"the same name with another type", []abi.Import{p1("sock_open", "ii")},
			[]abi.Dialect{abi.Unknown}},
		{"the same type with another result",
			[]abi.Import{{wasip1, "sock_open", functionType("iii", "I")}},
			[]abi.Dialect{abi.Unknown}},
		{"WasmEdge's type in another module",
			[]abi.Import{{"env", "sock_open", functionType("iii", "i")}},
			[]abi.Dialect{abi.Unknown}},
		{"wasport", []abi.Import{{"wasport_sockets", "sock_get_option", functionType("iii", "i")}},
			[]abi.Dialect{abi.Wasport}},
		{"threads", []abi.Import{{"wasi", "thread-spawn", "(i32) -> i32"}},
			[]abi.Dialect{abi.Threads}},
		{"WASIX", []abi.Import{p1("fd_read", "iiii"),
			{"wasix_32v1", "sock_open", functionType("iiii", "i")}},
			[]abi.Dialect{abi.Preview1, abi.WASIX32}},
		{"WASIX of 64 bits", []abi.Import{{"wasix_64v1", "fd_pipe", functionType("II", "i")}},
			[]abi.Dialect{abi.WASIX64}},
		{"WASIX of the future", []abi.Import{{"wasix_32v2", "x", "()"}}, []abi.Dialect{abi.WASIX}},
		{"preview 2", []abi.Import{{"wasi:sockets/tcp@0.2.0", "[method]tcp-socket.start-bind",
			"(i32)"}},
			[]abi.Dialect{abi.Preview2}},
		{"Emscripten", []abi.Import{{"env", "emscripten_memcpy_js", "(i32, i32, i32)"},
			{"env", "mystery", "()"}},
			[]abi.Dialect{abi.Emscripten, abi.Unknown}},
		{"Go for JavaScript", []abi.Import{{"gojs", "runtime.wasmExit", "(i32)"}},
			[]abi.Dialect{abi.GoJS}},
		{"wasm-bindgen", []abi.Import{{"wbg", "__wbg_log_1", "(i32)"}}, []abi.Dialect{abi.Browser}},
		{"other types", []abi.Import{{"env", "f", "(f64, externref) -> v128"}},
			[]abi.Dialect{abi.Unknown}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := abi.Dialects(row.imports); !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestDialectsOfSuppliedFunctions checks that no function of a table counts as Unknown or Foreign,
// and that no table shadows the rows of another.
func TestDialectsOfSuppliedFunctions(t *testing.T) {
	for module, functions := range abi.Functions() {
		for _, f := range functions {
			got := abi.Dialects([]abi.Import{{module, f.Name, functionType(f.Params, f.Results)}})
			if len(got) != 1 || got[0].Foreign() || got[0] == abi.Unknown {
				t.Errorf("%s.%s: got %q, want one of ours", module, f.Name, got)
			}
		}
	}
}
