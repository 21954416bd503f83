package needs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExceptionsForWineAreFew(t *testing.T) {
	if len(wine) > maxWine {
		t.Errorf("got %d exceptions for Wine, want at most %d", len(wine), maxWine)
	}
}

// TestExceptionsNameTests looks for each name's first part: a test's function, or a suite's row.
func TestExceptionsNameTests(t *testing.T) {
	var source strings.Builder
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasPrefix(d.Name(), "exceptions") {
			return err
		}
		text, err := os.ReadFile(path)
		source.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []exceptions{wine, emulated(t)} {
		for name, reason := range table {
			first, _, _ := strings.Cut(name, "/")
			row := strings.ReplaceAll(first, "_", " ")
			if !strings.Contains(source.String(), "func "+first+"(") &&
				!strings.Contains(source.String(), `"`+row+`"`) {
				t.Errorf("got an exception for %s, want one for a test that exists", name)
			}
			if reason == "" {
				t.Errorf("got an exception for %s without a reason, want one", name)
			}
		}
	}
}

// emulated are the exceptions that .ci/emulated takes from a file.
func emulated(t *testing.T) exceptions {
	text, err := os.ReadFile("emulated.txt")
	if err != nil {
		t.Fatal(err)
	}
	table := exceptions{}
	for line := range strings.Lines(string(text)) {
		if line == "\n" || strings.HasPrefix(line, "#") {
			continue
		}
		test, reason, _ := strings.Cut(strings.TrimSpace(line), "  ")
		_, name, _ := strings.Cut(test, " ")
		table[name] = reason
	}
	return table
}

func TestExcept(t *testing.T) {
	table := exceptions{"TestOne": "first reason", "TestTwo/a_row": "second", "suite/row": "third"}
	for _, test := range []struct {
		name string
		runs bool
		want string
	}{
		{"TestOne", true, "first reason"},
		{"TestOne/row", true, "first reason"},
		{"TestTwo/a_row", true, "second"},
		{"TestTwo/another_row", true, "got no exception"},
		{"TestAny/suite/row/IPv4", true, "third"},
		{"TestOneMore", true, "got no exception"},
		{"TestOneMore", false, "got no exception"},
		{"TestOne", false, ""},
	} {
		t.Run(fmt.Sprint(test.name, " ", test.runs), func(t *testing.T) {
			r := &recorder{TB: t, name: test.name}
			table.except(r, "Wine", test.runs)
			got := r.skipped + r.failed
			if !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
