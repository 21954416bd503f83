package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/abi"
)

// TestFunctionsDocumented checks that docs/abi.md tells of every function that can be imported,
// with its type, and of no other.
func TestFunctionsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/abi.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]bool) // names with their types
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\| `(.*?)` \\|").FindAllSubmatch(text, -1) {
		told[string(m[1])+" "+string(m[2])] = true
	}
	// Options that have one value come in a list.
	for _, m := range regexp.MustCompile("(?m)^\\| ((?:`[a-z0-9_]+`(?:, )?)+) \\| (one byte|u32)").FindAllSubmatch(text, -1) {
		for name := range strings.SplitSeq(string(m[1]), ", ") {
			told["sock_get_"+strings.Trim(name, "`")+" (i32, i32) -> i32"] = true
			told["sock_set_"+strings.Trim(name, "`")+" (i32, i32) -> i32"] = true
		}
	}
	types := strings.NewReplacer("i", "i32, ", "I", "i64, ")
	for module, functions := range abi.Functions() {
		if module == "wasi_unstable" {
			continue // the same
		}
		for _, f := range functions {
			name, signature := f.Name, " ("+strings.TrimSuffix(types.Replace(f.Params), ", ")+")"
			if f.Results != "" {
				signature += " -> i32"
			}
			if module != "wasi_snapshot_preview1" {
				name = module + "." + name
			}
			if !told[name+signature] {
				t.Errorf("docs/abi.md has no row %s%s, want one", name, signature)
			}
			delete(told, name+signature)
		}
	}
	for name := range told {
		t.Errorf("docs/abi.md has a row %s, want none: there is no such function", name)
	}
}
