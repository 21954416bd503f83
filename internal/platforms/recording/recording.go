// Package recording compares the results of calls on this system with those that were recorded on
// it before. It is for tests. The recordings of a platform are text files in a folder beside this
// one; a line is an import, a call, and its result. The command in the folder above makes
// docs/platforms.md of all of them. The package has no state.
package recording

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Line is the result of a call.
type Line struct{ Name, Call, Result string }

func (l Line) String() string { return l.Name + "\t" + l.Call + "\t" + l.Result }

// Parse reads the lines of a recording.
func Parse(text string) ([]Line, error) {
	var lines []Line
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(fields) != 3 {
			return nil, fmt.Errorf("got a line %q, want a name, a call, a result", line)
		}
		lines = append(lines, Line{fields[0], fields[1], fields[2]})
	}
	return lines, nil
}

// Compare compares lines with the recording of this platform. With UPDATE_RECORDINGS=1 they replace
// it. The test is skipped on a platform that has none. The calling package must lie in a folder
// beside internal/platforms.
func Compare(t *testing.T, file string, lines []Line) {
	t.Helper()
	name := platform()
	if _, err := os.Stat(filepath.Join("..", "platforms", name)); name == "" || err != nil {
		t.Skip("skipped: there is no recording of this system")
	}
	var b strings.Builder
	for i, line := range lines {
		if name == "arm64" && strings.HasSuffix(line.Name, "_membership") {
			// qemu-user takes ip_mreqn of setsockopt(2) from memory that it has not set.
			lines[i].Result = "not recorded"
		}
		fmt.Fprintln(&b, lines[i])
	}
	if _, err := Parse(b.String()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "platforms", name, file)
	if os.Getenv("UPDATE_RECORDINGS") == "1" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	compareLines(t, name, lines, want)
}

// compareLines tells each line that only one of the lists has.
func compareLines(t *testing.T, platform string, got, want []Line) {
	t.Helper()
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("got %v, which is not in the recording of %s", line, platform)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("got no %v, want it as in the recording of %s", line, platform)
		}
	}
	if t.Failed() {
		t.Log("with UPDATE_RECORDINGS=1 the test writes a new recording")
	}
}
