// Package recording compares the results of calls on this system with those that were recorded on
// it before. It is for tests. The recordings of a platform are text files in a folder beside this
// one; a line is an import or a program, a call, and its result. Those of other platforms than
// Linux have only the lines that differ from Linux's. The command in the folder above makes
// docs/platforms.md of all of them. The package has no state.
package recording

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/needs"
)

// linux is the platform that the others are compared with.
const linux = "linux"

// Absent is the result of a call that there is on Linux only, such as one that a program makes
// after another that fails here.
const Absent = "not there"

// NotRecorded is the result of all calls of an import or program that is left out on a platform.
const NotRecorded = "not recorded"

// every stands for all calls of an import or program.
const every = "*"

// Line is the result of a call.
type Line struct{ Name, Call, Result string }

func (l Line) String() string { return l.Name + "\t" + l.Call + "\t" + l.Result }

func (l Line) isOf(other Line) bool { return l.Name == other.Name && l.Call == other.Call }

// Read reads a recording, with the lines that are as on Linux.
func Read(dir, platform, file string) ([]Line, error) {
	lines, err := parseFile(filepath.Join(dir, linux, file))
	if err != nil || platform == linux {
		return lines, err
	}
	others, err := parseFile(filepath.Join(dir, platform, file))
	for _, line := range others {
		if line.Call == every {
			for i := range lines {
				if lines[i].Name == line.Name {
					lines[i].Result = line.Result
				}
			}
		} else if i := slices.IndexFunc(lines, line.isOf); i >= 0 {
			lines[i] = line
		} else {
			lines = append(lines, line)
		}
	}
	return lines, err
}

func parseFile(path string) ([]Line, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s: got a line %q, want a name, a call, a result", path, line)
		}
		lines = append(lines, Line{fields[0], fields[1], fields[2]})
	}
	return lines, nil
}

// Compare compares lines with the recording of this platform, in which each call is told once.
// With UPDATE_RECORDINGS=1 they replace it. The calling package must lie in a folder beside
// internal/platforms.
func Compare(t *testing.T, file string, lines []Line) {
	t.Helper()
	dir, name := filepath.Join("..", "platforms"), platform()
	if name == "" {
		needs.Missing(t, errors.New("there are no recordings of this system, by Wine or qemu-user"))
	}
	lines = slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return isLeftOut(l.Name) })
	if os.Getenv("UPDATE_RECORDINGS") == "1" {
		if err := write(dir, name, file, lines); err != nil {
			t.Fatal(err)
		}
	}
	want, err := Read(dir, name, file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if !slices.Contains(want, line) {
			t.Errorf("got %v, which is not in the recording of %s", line, name)
		}
	}
	for _, line := range want {
		if line.Result != Absent && line.Result != NotRecorded && !slices.Contains(lines, line) {
			t.Errorf("got no %v, want it as in the recording of %s", line, name)
		}
	}
	if t.Failed() {
		t.Log("with UPDATE_RECORDINGS=1 the test writes a new recording")
	}
}

// isLeftOut reports whether an import or a program is not recorded, since qemu-user answers by
// chance: it takes ip_mreqn of setsockopt(2) from memory that it has not set.
func isLeftOut(name string) bool {
	return os.Getenv("WASPORT_EMULATED") == "1" &&
		(name == "multicast" || strings.HasSuffix(name, "_membership"))
}

// write writes a recording: for another platform than Linux, the differences.
func write(dir, platform, file string, lines []Line) error {
	if platform != linux {
		all, err := Read(dir, linux, file)
		if err != nil {
			return err
		}
		lines = differences(lines, all)
	}
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintln(&b, line)
	}
	return os.WriteFile(filepath.Join(dir, platform, file), []byte(b.String()), 0o644)
}

// differences returns the lines that differ from Linux's, and those that only Linux has as Absent,
// or as those of an import or a program that is not recorded here.
func differences(lines, linux []Line) (differ []Line) {
	for _, line := range lines {
		if !slices.Contains(linux, line) {
			differ = append(differ, line)
		}
	}
	for _, line := range linux {
		if isLeftOut(line.Name) {
			line.Call, line.Result = every, NotRecorded
		} else {
			line.Result = Absent
		}
		if !slices.ContainsFunc(lines, line.isOf) && !slices.Contains(differ, line) {
			differ = append(differ, line)
		}
	}
	return differ
}
