package wasi2

import (
	"os"
	"regexp"
	"slices"
	"strings"
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

// TestInterfacesListed checks that docs/components.md has a row for each interface, with its
// resources and functions.
func TestInterfacesListed(t *testing.T) {
	text, err := os.ReadFile("../../docs/components.md")
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile("(?m)^\\| `wasi:.*\\|$").FindAllString(string(text), -1)
	var want []string
	for _, i := range Interfaces() {
		var names []string
		for _, name := range i.FunctionNames {
			names = append(names, "`"+strings.TrimPrefix(name, "[method]")+"`")
		}
		if len(names) == 0 {
			names = []string{"a resource without functions"}
		}
		want = append(want, "| `"+i.Name+"` | "+strings.Join(names, ", ")+" |")
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/components.md: got the rows\n%s\nwant\n%s", strings.Join(got, "\n"),
			strings.Join(want, "\n"))
	}
}
