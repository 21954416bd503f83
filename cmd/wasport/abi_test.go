package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/abi"
)

// TestFunctionsDocumented checks that docs/abi.md has a row with the type of each function that
// a module can import, and no other rows.
func TestFunctionsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/abi.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool) // names with their types
	function := regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\| `(.*?)` \\|")
	for _, m := range function.FindAllSubmatch(text, -1) {
		documented[string(m[1])+" "+string(m[2])] = true
	}
	// Options with one value share rows.
	options := regexp.MustCompile("(?m)^\\| ((?:`[a-z0-9_]+`(?:, )?)+) \\| (one byte|u32)")
	for _, m := range options.FindAllSubmatch(text, -1) {
		for name := range strings.SplitSeq(string(m[1]), ", ") {
			documented["sock_get_"+strings.Trim(name, "`")+" (i32, i32) -> i32"] = true
			documented["sock_set_"+strings.Trim(name, "`")+" (i32, i32) -> i32"] = true
		}
	}
	types := strings.NewReplacer("i", "i32, ", "I", "i64, ")
	for module, functions := range abi.Functions() {
		if module == "wasi_unstable" {
			continue // has the same functions
		}
		for _, f := range functions {
			name, signature := f.Name, " ("+strings.TrimSuffix(types.Replace(f.Params), ", ")+")"
			if f.Results != "" {
				signature += " -> i32"
			}
			if module != "wasi_snapshot_preview1" {
				name = module + "." + name
			}
			if !documented[name+signature] {
				t.Errorf("docs/abi.md has no row %s%s, want one", name, signature)
			}
			delete(documented, name+signature)
		}
	}
	for name := range documented {
		t.Errorf("docs/abi.md has a row %s, want none: there is no such function", name)
	}
}
