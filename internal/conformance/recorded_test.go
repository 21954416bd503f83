package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/gramine"
	"github.com/wasport/wasport/internal/platforms/recording"
)

func TestMain(m *testing.M) {
	gramine.Enter()
	os.Exit(m.Run())
}

// TestProgramsPrintAsRecorded runs each program as a guest, and compares the lines that it prints
// with those that were recorded on this platform. TestProgramsPrintAsNative compares those of Linux
// with a native program's.
func TestProgramsPrintAsRecorded(t *testing.T) {
	modules, err := filepath.Glob("*.wasm")
	if err != nil || len(modules) == 0 {
		t.Fatalf("got %v, %v, want the modules of the programs", modules, err)
	}
	rt := newRuntime(t)
	peers := [...]struct {
		family string
		ports  []string
	}{
		{"4", startEchoServers(t, machine, "127.0.0.1")},
		{"6", startEchoServers(t, machine, "::1")},
	}
	var lines []recording.Line
	for _, module := range modules {
		wasm, err := os.ReadFile(module)
		if err != nil {
			t.Fatal(err)
		}
		mod := compileGuest(t, rt, wasm)
		name := strings.TrimSuffix(module, ".wasm")
		for _, p := range peers {
			if p.ports == nil {
				t.Fatalf("got no servers on loopback of IPv%s, want them", p.family)
			}
			out, errs, status, err := runGuest(t, mod, nil,
				append([]string{name, p.family}, p.ports...))
			end := strings.TrimSpace(fmt.Sprint(status.Code, " ", errs))
			if err != nil {
				end = err.Error()
			}
			lines = append(lines, linesOf(name, "IPv"+p.family, out)...)
			lines = append(lines, recording.Line{Name: name,
				Call: "IPv" + p.family + ": its end", Result: end})
		}
	}
	recording.Compare(t, "programs.txt", lines)
}

// linesOf makes lines of a transcript: a call each, with its result and the lines about it
// below. Lines that depend on the machine are left out.
func linesOf(program, family, transcript string) (lines []recording.Line) {
	printed := strings.Split(strings.TrimSuffix(dropLines(transcript,
		machineLines[program+" "+family]), "\n"), "\n")
	times := make(map[string]int)
	for i, line := range printed {
		call, result, ok := strings.Cut(line, " = ")
		if !ok {
			call, result, ok = strings.Cut(line, ": ")
		}
		isHead := ok || i+1 < len(printed) && isIndented(printed[i+1])
		if len(lines) > 0 && (isIndented(line) || !isHead) {
			last := &lines[len(lines)-1]
			last.Result = strings.TrimPrefix(last.Result+"; "+spaced(line), "; ")
			continue
		}
		if times[call]++; times[call] > 1 {
			call += fmt.Sprintf(" (%d)", times[call])
		}
		lines = append(lines, recording.Line{Name: program, Call: family + ": " + spaced(call),
			Result: spaced(result)})
	}
	for i, line := range lines {
		if strings.Contains(line.Call, "SO_SNDBUF") || strings.Contains(line.Call, "SO_RCVBUF") {
			_, lines[i].Result, _ = strings.Cut(line.Result, "; ") // without the initial size
		}
	}
	return lines
}

func isIndented(line string) bool {
	return strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
}

// spaced has one space in place of each run of spaces and tabs.
func spaced(s string) string { return strings.Join(strings.Fields(s), " ") }

// dropLines drops the lines that contain one of the texts.
func dropLines(transcript string, texts []string) string {
	var kept []string
	for line := range strings.Lines(transcript) {
		if !slices.ContainsFunc(texts,
			func(text string) bool { return strings.Contains(line, text) }) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// machineLines lists, for each program and family, texts of the lines that depend on the machine.
var machineLines = map[string][]string{
	// The interfaces and their addresses.
	"interfaces IPv4": {"has an index", "listed"},
	"interfaces IPv6": {"has an index", "listed"},
	// The machine may have no route for IPv6 multicast on lo: sendto is then ENETUNREACH.
	"multicast IPv6": {"sendto(", "recvfrom(", "recv(", "from: "},
}
