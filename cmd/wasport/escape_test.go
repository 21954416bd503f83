package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/wasport/wasport/internal/testutil"
)

// hostile is a name that clears a terminal, sets its title, reverses the direction of its text and
// forges a line (ECMA-48; xterm's OSC 0; Unicode, U+202E).
const hostile = "\x1b[2J\x1b]0;x\x07\u202e\u009b1m\r\nwasport: forged"

// section encodes a section of a module (WebAssembly 1.0, 5.5.2).
func section(id byte, content ...[]byte) []byte {
	all := slices.Concat(content...)
	return append(binary.AppendUvarint([]byte{id}, uint64(len(all))), all...)
}

func named(s string) []byte { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }

// hostileModule encodes a module with hostile names in each section. Its _start runs the code.
func hostileModule(imported []byte, code ...byte) []byte {
	start := byte(0) // function index
	if imported[0] == 0 {
		start = 1
	}
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte{1, 0x60, 0, 0}), // the type () -> ()
		section(2, []byte{1}, named(hostile), named("i"+hostile), imported),
		section(3, []byte{1, 0}),
		section(7, []byte{2}, named("_start"), []byte{0, start},
			named("e"+hostile), []byte{0, start}),
		section(10, []byte{1, byte(len(code) + 2), 0}, code, []byte{0x0b}),
		section(0, named(hostile), []byte("custom")),
		section(0, named("name"), section(1, []byte{1, start}, named("f"+hostile))),
	)
}

// TestHostileNamesAreEscaped has the command print names of a module and of its file.
func TestHostileNamesAreEscaped(t *testing.T) {
	const call, unreachable = 0x10, 0x00
	function := []byte{0, 0}
	lines := testutil.WithLines(hostileModule(function, unreachable), "d"+hostile)
	running := func(args ...string) []string {
		return append([]string{"run", "--unknown-imports=trap"}, args...)
	}
	for _, test := range []struct {
		name string
		wasm []byte
		args []string
		want string // a part of the escaped name
	}{
		{"inspect", hostileModule(function), []string{"inspect"}, `"i\x1b[2J`},
		{"inspect exports", hostileModule(function), []string{"inspect"}, `"e\x1b[2J`},
		{"inspect a memory import", hostileModule([]byte{2, 0, 1}), []string{"inspect"},
			`"i\x1b[2J`},
		{"inspect a truncated module", hostileModule(function)[:120], []string{"inspect"}, ""},
		{"lacking an import", hostileModule(function), []string{"run"}, `"i\x1b[2J`},
		{"lacking a global", hostileModule([]byte{3, 0x7f, 0}), running(), `"i\x1b[2J`},
		{"call of what is missing", hostileModule(function, call, 0), running(), `"i\x1b[2J`},
		{"trap", hostileModule(function, unreachable), running(), `f\x1b[2J`},
		{"trap with lines", lines, running(), `d\x1b[2J`},
		{"trap with the engine's lines", lines, running("--no-interrupt"), `d\x1b[2J`},
		{"trap as it is", hostileModule(function, unreachable), running("--no-interrupt"),
			`f\x1b[2J`},
		{"trap while interpreted", hostileModule(function, unreachable), running("--interpreter"),
			`f\x1b[2J`},
		{"no such function", hostileModule(function), running("-f", "none"), `"e\x1b[2J`},
		{"arguments", hostileModule(function), running("-f", "e"+hostile), `e\x1b[2J`},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "m\x1b[1m.wasm")
			if err := os.WriteFile(file, test.wasm, 0o666); err != nil {
				t.Skip(err) // some systems have no such names
			}
			args := append(test.args, file)
			if test.name == "arguments" {
				args = append(args, "1")
			}
			cmd := exec.Command("wasport", args...)
			cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir(), "XDG_CONFIG_HOME="+
				t.TempDir())
			out, _ := cmd.CombinedOutput()
			control := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
			if i := bytes.IndexFunc(out, control); i >= 0 {
				t.Errorf("got an unprintable character at %d of %q, want none", i, out)
			}
			if strings.Contains(string(out), "\nwasport: forged") {
				t.Errorf("got a forged line in %q, want none", out)
			}
			if !strings.Contains(string(out), test.want) {
				t.Errorf("got %q, want the name as %s", out, test.want)
			}
		})
	}
}
