package wasi2

import (
	"os"
	"regexp"
	"testing"
)

// TestInterfacesDocumented checks that docs/abi.md has a row for each function of the tables, with
// its type and in their order, and no other rows.
func TestInterfacesDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(wasi:.*?)` \\| `(.*?)` \\|$").FindAllSubmatch(text, -1)
	for _, i := range Interfaces() {
		for _, name := range i.FunctionNames {
			f := i.Functions[name]
			want := "| `" + f.Name + "` | `" + f.Type.String() + "` |"
			if len(rows) == 0 {
				t.Fatalf("docs/abi.md ends before the row\n%s", want)
			}
			if got := string(rows[0][0]); got != want {
				t.Fatalf("docs/abi.md: got the row\n%s\nwant\n%s", got, want)
			}
			rows = rows[1:]
		}
	}
	if len(rows) > 0 {
		t.Errorf("docs/abi.md: got the row\n%s\nwant none: there is no such function", rows[0][0])
	}
}
