package engine

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCompilationsKeepFewPages measures the machine code that closed modules leave, which import
// functions of many types. wazero leaves a page for each type of a host module that is compiled
// with a listener.
func TestCompilationsKeepFewPages(t *testing.T) {
	const types, times, most = 60, 10, 30 * 4096
	i32s := bytes.Repeat([]byte{0x7f}, types)
	wasm := slices.Concat(empty,
		section(1, []byte{types}, concat(types, func(i int) []byte {
			return slices.Concat([]byte{0x60, byte(i)}, i32s[:i], []byte{0})
		})),
		section(2, []byte{types}, concat(types, func(i int) []byte {
			return slices.Concat(nameOf(0), nameOf(i), []byte{0, byte(i)})
		})))
	ctx := context.Background()
	e, err := New(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	before := machineCode(t)
	for range times {
		p, err := e.Compile(ctx, wasm, CompileOptions{TrapUnknown: true})
		if err != nil {
			t.Fatal(err)
		}
		p.Close(ctx)
	}
	if kept := (machineCode(t) - before) / times; kept > most {
		t.Errorf("got %d bytes of machine code kept for each module, want at most %d", kept, most)
	}
}

// machineCode is the size of the process's mappings of code that come from no file, in bytes.
func machineCode(t *testing.T) (size int) {
	t.Helper()
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), " r-xp 00000000 00:00 0 ") {
			continue
		}
		var from, to uint64
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); err != nil {
			t.Fatal(err)
		}
		size += int(to - from)
	}
	return size
}
