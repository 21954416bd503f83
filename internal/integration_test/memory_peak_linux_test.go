package integration_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
	componentguests "github.com/wasport/wasport/internal/guests/components"
)

// greedy is a module that takes as much of the host's memory as it can, mostly in as many threads
// as it may have, each of which then waits.
type greedy struct {
	types     [][]byte // after those below
	tables    [][]byte
	globals   [][]byte
	elements  [][]byte
	bodies    [][]byte // of the functions after _start and the threads' entry, with their types
	funcTypes []byte
	thread    []byte // code of a thread
	pages     uint64 // of its memory at most; 0 = 1
	noThreads bool   // _start does it, without threads
	component string // the name of a component that is run instead
}

const (
	voidType, spawnType, entryType, firstType = 0, 1, 2, 3

	// Functions: the import is the first.
	spawnFunc, startFunc, threadFunc, firstFunc = 0, 1, 2, 3

	i32, i64, v128, funcref, externref = 0x7f, 0x7e, 0x7b, 0x70, 0x6f
	opEnd, opDrop                      = 0x0b, 0x1a
)

// rep makes so many repetitions of a sequence of bytes.
func rep(n int, code ...byte) []byte { return bytes.Repeat(code, n) }

func encodeUint(n uint64) []byte { return binary.AppendUvarint(nil, n) }

func encodeVector(b []byte) []byte { return append(encodeUint(uint64(len(b))), b...) }

func wasmSection(id byte, items ...[]byte) []byte {
	return append(
		[]byte{id},
		encodeVector(append(encodeUint(uint64(len(items))), slices.Concat(items...)...))...)
}

func funcType(params, results []byte) []byte {
	return slices.Concat([]byte{0x60}, encodeVector(params), encodeVector(results))
}

func funcBody(locals, code []byte) []byte {
	return encodeVector(slices.Concat(locals, code, []byte{opEnd}))
}

// waitForever waits for a word of memory that never changes.
var waitForever = []byte{0x41, 0, 0x41, 0, 0x42, 0x7f, 0xfe, 0x01, 2, 0, opDrop}

func (g greedy) wasm() []byte {
	start := slices.Concat(
		// while it may spawn
		[]byte{0x03, 0x40, 0x41, 0, 0x10, spawnFunc, 0x41, 0, 0x4e, 0x0d, 0, opEnd},
		waitForever)
	if g.noThreads {
		start = slices.Concat(g.thread, waitForever)
	}
	types := append([][]byte{
		funcType(nil, nil), funcType([]byte{i32}, []byte{i32}), funcType([]byte{i32, i32}, nil),
	}, g.types...)
	funcs := [][]byte{{voidType}, {entryType}}
	for _, t := range g.funcTypes {
		funcs = append(funcs, []byte{t})
	}
	name := func(s string) []byte { return encodeVector([]byte(s)) }
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		wasmSection(1, types...),
		wasmSection(
			2,
			slices.Concat(name("wasi"), name("thread-spawn"), []byte{0, spawnType}),
			slices.Concat(name("env"), name("memory"), []byte{2, 3, 1},
				encodeUint(max(g.pages, 1))),
		),
		wasmSection(3, funcs...),
		wasmSection(4, g.tables...),
		wasmSection(6, g.globals...),
		wasmSection(7,
			slices.Concat(name("_start"), []byte{0, startFunc}),
			slices.Concat(name("wasi_thread_start"), []byte{0, threadFunc})),
		wasmSection(9, g.elements...),
		wasmSection(10, append([][]byte{
			funcBody([]byte{0}, start), funcBody([]byte{0}, slices.Concat(g.thread, waitForever)),
		}, g.bodies...)...),
	)
}

// callFirst is the code of a thread that calls a function which never returns.
var callFirst = []byte{0x10, firstFunc}

// callBoth calls a function, and then the one that never returns.
var callBoth = []byte{0x10, firstFunc + 1, 0x10, firstFunc}

func loopCode(body ...byte) []byte {
	return slices.Concat([]byte{0x03, 0x40}, body, []byte{0x0c, 0, opEnd})
}

// table is the type of a table, from least to most entries.
func tableType(of byte, least, most uint64) []byte {
	return slices.Concat([]byte{of, 1}, encodeUint(least), encodeUint(most))
}

// repeatCode joins n pieces of code, each made from its index.
func repeatCode(n int, part func(i uint64) []byte) (code []byte) {
	for i := range n {
		code = append(code, part(uint64(i))...)
	}
	return code
}

var greedyModules = map[string]greedy{
	"nothing":                  {noThreads: true},
	"calls within a component": {component: "greedy_calls"},
	"tables that grow": {
		tables: [][]byte{tableType(externref, 1, 1_000_000)},
		thread: []byte{0xd0, externref, 0x41, 0xf6, 0x83, 0x3d, 0xfc, 15, 0, opDrop},
	},
	"tables that grow by one": {
		tables: [][]byte{tableType(externref, 1, 1_000_000)},
		thread: loopCode(0xd0, externref, 0x41, 1, 0xfc, 15, 0, opDrop),
	},
	"large tables": {tables: [][]byte{tableType(funcref, 1_000_000, 1_000_000)}},
	"globals":      {globals: slices.Repeat([][]byte{{i32, 1, 0x41, 0, opEnd}}, 20_000)},
	"elements": {
		tables: [][]byte{tableType(funcref, 1, 1)},
		elements: [][]byte{
			slices.Concat([]byte{1, 0}, encodeUint(200_000), rep(200_000, startFunc)),
		},
	},
	"references": {
		elements: [][]byte{{3, 0, 1, startFunc}},
		thread:   loopCode(0xd2, startFunc, opDrop),
	},
	// i32.const -2^31, memory.grow: as a number with a sign, the pages would enlarge the budget.
	"references after a growth by 2^31 pages": {
		elements: [][]byte{{3, 0, 1, startFunc}},
		thread: slices.Concat([]byte{0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x40, 0, opDrop},
			loopCode(0xd2, startFunc, opDrop)),
	},
	"references after a growth by 2^32-1 pages": {
		elements: [][]byte{{3, 0, 1, startFunc}},
		thread: slices.Concat([]byte{0x41, 0x7f, 0x40, 0, opDrop},
			loopCode(0xd2, startFunc, opDrop)),
	},
	"shared memory": {
		pages: 65536,
		thread: loopCode(0x41, 1, 0x40, 0, 0x41, 16, 0x74, 0x41, 1, 0x36, 2,
			0), // touches what it got
	},
	"recursion with results of a call": {
		types:     [][]byte{funcType(nil, rep(1000, v128))},
		funcTypes: []byte{voidType, firstType},
		thread:    callFirst,
		bodies: [][]byte{
			funcBody([]byte{0}, append(slices.Clone(callBoth), rep(1000, opDrop)...)),
			funcBody([]byte{0}, rep(1000, 0x41, 0, 0xfd, 0x0f)), // i8x16.splat
		},
	},
	"recursion with results that are used": {
		types:     [][]byte{funcType(nil, rep(1000, v128)), funcType(nil, []byte{v128})},
		funcTypes: []byte{firstType + 1, firstType},
		thread:    append(slices.Clone(callFirst), opDrop),
		bodies: [][]byte{
			// v128.or
			funcBody([]byte{0}, append(slices.Clone(callBoth), rep(1000, 0xfd, 0x50)...)),
			funcBody([]byte{0}, rep(1000, 0x41, 0, 0xfd, 0x0f)),
		},
	},
	"recursion with a high stack": { // of values, none of which lives across the call
		types:     [][]byte{funcType([]byte{i32}, []byte{i32})},
		funcTypes: []byte{firstType},
		thread:    slices.Concat([]byte{0x41, 1}, callFirst, []byte{opDrop}),
		bodies: [][]byte{funcBody([]byte{0}, slices.Concat(
			rep(3000, 0x20, 0, 0x45), rep(2999, 0x6a), callFirst))},
	},
	"recursion with a high stack of vectors": {
		types:     [][]byte{funcType([]byte{i32}, []byte{i32})},
		funcTypes: []byte{firstType},
		thread:    slices.Concat([]byte{0x41, 1}, callFirst, []byte{opDrop}),
		bodies: [][]byte{funcBody([]byte{0}, slices.Concat(
			rep(3000, 0x20, 0, 0xfd, 0x0f), rep(2999, 0xfd, 0x50), []byte{0xfd, 0x53}, callFirst))},
	},
	"recursion with many assignments": { // of few locals, each of which lives across a call
		types:     [][]byte{funcType([]byte{i32}, []byte{i32})},
		funcTypes: []byte{firstType, voidType},
		thread:    slices.Concat([]byte{0x41, 1}, callFirst, []byte{opDrop}),
		bodies: [][]byte{
			funcBody([]byte{1, 8, v128}, slices.Concat(bytes.Repeat(slices.Concat(
				repeatCode(8, func(i uint64) []byte {
					return append([]byte{0x20, 0, 0xfd, 0x0f, 0x21},
						encodeUint(i+1)...)
				}),
				[]byte{0x10, firstFunc + 1},
				repeatCode(8, func(i uint64) []byte {
					return slices.Concat([]byte{0x20}, encodeUint(i+1),
						[]byte{0xfd, 0x53, 0x20, 0, 0x6a, 0x21, 0})
				}),
			), 100), []byte{0x20, 0, 0x10, firstFunc})),
			funcBody([]byte{0}, rep(200, 1)),
		},
	},
	"recursion with joined locals": { // a new value of each for every if
		types:     [][]byte{funcType([]byte{i32}, []byte{i32})},
		funcTypes: []byte{firstType, voidType},
		thread:    slices.Concat([]byte{0x41, 1}, callFirst, []byte{opDrop}),
		bodies: [][]byte{
			funcBody([]byte{1, 50, v128}, slices.Concat(
				bytes.Repeat(slices.Concat([]byte{0x20, 0, 0x04, 0x40},
					repeatCode(50, func(i uint64) []byte {
						// v128.not
						return slices.Concat([]byte{0x20}, encodeUint(i+1),
							[]byte{0xfd, 0x4d, 0x21}, encodeUint(i+1))
					}), []byte{opEnd, 0x10, firstFunc + 1}), 40),
				repeatCode(50, func(i uint64) []byte {
					return slices.Concat([]byte{0x20}, encodeUint(i+1),
						[]byte{0xfd, 0x53, 0x20, 0, 0x6a, 0x21, 0})
				}),
				[]byte{0x20, 0, 0x10, firstFunc})),
			funcBody([]byte{0}, rep(200, 1)),
		},
	},
	"large leaves": { // a function that calls none, at its largest
		types:     [][]byte{funcType([]byte{i32}, []byte{i32})},
		funcTypes: []byte{firstType},
		thread:    slices.Concat([]byte{0x41, 1}, callFirst, []byte{opDrop}),
		bodies: [][]byte{funcBody([]byte{0}, slices.Concat(
			rep(60_000, 0x20, 0, 0xfd, 0x0f), rep(59_999, 0xfd, 0x50), []byte{0xfd, 0x53},
			loopCode()))},
	},
}

const peakModule, peakLimit = "WASPORT_TEST_PEAK", 16 << 20

// TestPeakChild is the child process of TestPeakMemoryOfGreedyModules. It runs a guest and prints
// its peak memory while the guest ran (VmHWM of proc_pid_status(5)).
func TestPeakChild(t *testing.T) {
	g, ok := greedyModules[os.Getenv(peakModule)]
	if !ok {
		t.Skip("it is a part of another test")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{Interpreter: interpreted()})
	if err != nil {
		t.Fatal(err)
	}
	wasm := g.wasm()
	if g.component != "" {
		if wasm, err = componentguests.FS.ReadFile(g.component + ".wasm"); err != nil {
			t.Fatal(err)
		}
	}
	m, err := rt.Compile(context.Background(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	// The memory to compile the module is not what the limit bounds. "5" resets VmHWM (proc(5),
	// clear_refs).
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	_, err = m.Run(ctx, wasport.Config{MaxMemory: peakLimit})
	status, readErr := os.ReadFile("/proc/self/status")
	if readErr != nil {
		t.Fatal(readErr)
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ = strings.Cut(line, "\n")
	fmt.Printf("peak %s; %v\n", line, err)
}

// TestPeakMemoryOfGreedyModules runs each greedy module in a process of its own, and compares the
// process's peak with that of a guest that does nothing.
func TestPeakMemoryOfGreedyModules(t *testing.T) {
	if !canMeasure {
		t.Skip("the race detector takes memory of its own")
	}
	peak := func(t *testing.T, name string) int {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPeakChild$")
		cmd.Env = append(os.Environ(), peakModule+"="+name)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		_, line, ok := strings.Cut(string(out), "peak ")
		var kib int
		if _, err := fmt.Sscan(line, &kib); !ok || err != nil {
			t.Fatalf("got %s, want a line with the peak", out)
		}
		_, how, _ := strings.Cut(line, "; ")
		how, _, _ = strings.Cut(how, "\n")
		t.Logf("%d MiB; it ended with %.100s", kib>>10, how)
		return kib << 10
	}
	nothing := peak(t, "nothing")
	for name := range greedyModules {
		if name == "nothing" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			const most = 2*peakLimit + 16<<20
			if took := peak(t, name) - nothing; took > most {
				t.Errorf("got %d KiB more than a guest that does nothing, want at most %d",
					took>>10, most>>10)
			}
		})
	}
}
