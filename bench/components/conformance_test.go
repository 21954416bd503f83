package components

import (
	"errors"
	"strings"
	"testing"

	"github.com/wasport/wasport"
)

// TestConformance runs the programs f01 to f35, made by rustc, and compares what they print with
// what they print under wasmtime. The arguments, variables and files are those of that run.
func TestConformance(t *testing.T) {
	letters := map[string]string{"a.txt": "A", "b.txt": "BB", "sub/inner.txt": "inner"}
	none := map[string]string{}
	tests := []struct {
		name  string
		args  string
		env   []string
		files map[string]string // nil is no directory
		code  uint32
	}{
		{name: "f01_arith"}, {name: "f02_strings"}, {name: "f03_args", args: "10 20 hello 5"},
		{name: "f04_env", env: []string{"WAZY_NAME=wazy", "WAZY_COUNT=42", "PATH_LIKE=/usr/bin"}},
		{name: "f05_collections"}, {name: "f06_recursion"},
		{name: "f07_fileread", files: inputs(t, "f07_fileread", "data.txt")},
		{name: "f08_filewrite", files: none}, {name: "f09_exit", code: 1}, {name: "f10_bigout"},
		{name: "f11_floats"}, {name: "f12_ints"}, {name: "f13_json"}, {name: "f14_largedata"},
		{name: "f15_deeprec"}, {name: "f16_unicode"},
		{name: "f17_multifs",
			files: inputs(t, "f17_multifs", "alpha.txt", "beta.txt", "gamma.txt")},
		{name: "f18_panic"}, {name: "f19_iterchains"}, {name: "f20_cat"}, {name: "f21_wc"},
		{name: "f22_grep", args: "error"}, {name: "f23_upperstdin"}, {name: "f24_regex"},
		{name: "f25_sha2"}, {name: "f26_base64"}, {name: "f27_csv"}, {name: "f28_itertools"},
		{name: "f29_readdir", files: letters}, {name: "f30_filetypes", files: letters},
		{name: "f31_seek",
			files: map[string]string{"data.txt": "0123456789ABCDEFGHIJ world hello"}},
		{name: "f32_nested", files: map[string]string{"a/b.txt": "b content",
			"a/c.txt": "c content", "d.txt": "d content"}},
		{name: "f33_createlist", files: none}, {name: "f34_append", files: none},
		{name: "f35_remove", files: map[string]string{"gone.txt": "x"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			name := "conformance/" + test.name
			c := wasport.Config{Args: strings.Fields(test.args), Env: test.env,
				Stdin: stdin(read(t, name+".input.stdin.data"))}
			if test.files != nil {
				dir, _ := mount(t, test.files)
				c.Dirs = []wasport.Dir{dir}
			}
			o := run(t, name, c)
			if test.name == "f18_panic" { // A panic of Rust's is a trap.
				trap := (*wasport.Trap)(nil)
				if !errors.As(o.err, &trap) || !strings.Contains(trap.Reason, "unreachable") {
					t.Errorf("got error %v, want a trap: unreachable", o.err)
				}
				o.err = nil
			}
			o.check(t, string(read(t, name+".stdout.golden")), test.code)
		})
	}
}

// inputs reads the input files of a program.
func inputs(t *testing.T, program string, names ...string) map[string]string {
	files := make(map[string]string)
	for _, name := range names {
		files[name] = string(read(t, "conformance/"+program+".input."+name))
	}
	return files
}
