package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// goWords matches words from errors of Go's packages, which mean nothing to a user.
var goWords = regexp.MustCompile(
	`strconv|syntax|: (lookup|dial) |: listen (tcp|udp)|bind:|open /|read /|mkdir|panic|goroutine|` +
		`unexpected|\binvalid (port|argument)|missing port|ParseAddr|netip|pflag|bad flag`,
)

// badValues are values that most flags refuse.
var badValues = []string{
	"",
	"*",
	"*:7400",
	"-1",
	"9090",
	"[",
	"::1:53",
	"x:99999",
	"tcp://*:7400",
	"tcp://256.0.0.1:1",
	"/nosuch/x",
}

// runBadValues is the program badvalues FLAG MODULE. It runs the module with each bad value of the
// flag, since starting the command for each takes Windows minutes. A line with the exit status
// follows what each run prints on stderr.
func runBadValues() {
	for _, value := range badValues {
		status := reportError(dispatch([]string{"run", "--" + os.Args[1] + "=" + value,
			"--no-cache", "--interpreter", os.Args[2]}))
		printStderr(fmt.Sprintln("status", status))
	}
}

var ofBadValue = regexp.MustCompile(`(?ms)(.*?)^status (\d+)$\n`)

// TestBadFlagValuesHaveOneClearLine gives each flag of run values that most flags refuse.
func TestBadFlagValuesHaveOneClearLine(t *testing.T) {
	module, err := filepath.Abs("testdata/module/hello.wasm")
	if err != nil {
		t.Fatal(err)
	}
	cache, dir := t.TempDir(), t.TempDir()
	for _, g := range new(runFlags).groups() {
		g.VisitAll(func(f *pflag.Flag) {
			t.Run(f.Name, func(t *testing.T) {
				cmd := exec.Command("badvalues", f.Name, module)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache, "GORACE=atexit_sleep_ms=0")
				var stderr strings.Builder
				cmd.Stderr = &stderr
				err := cmd.Run()
				runs := ofBadValue.FindAllStringSubmatch(stderr.String(), -1)
				if err != nil || len(runs) != len(badValues) {
					t.Fatalf("got %v and %s, want %d runs", err, &stderr, len(badValues))
				}
				for i, run := range runs {
					checkBadValue(t, badValues[i], run[1], run[2])
				}
			})
		})
	}
}

// checkBadValue checks what a run with a value printed on stderr, and its exit status.
func checkBadValue(t *testing.T, value, got, status string) {
	t.Helper()
	if words := goWords.FindString(got); words != "" {
		t.Errorf("%q: got %q, want it without %q", value, got, words)
	}
	line, see, _ := strings.Cut(strings.TrimSuffix(got, "\n"), "\n")
	switch {
	case status == "0":
	case status != "1" && status != "2":
		t.Errorf("%q: got status %s, want 1 or 2", value, status)
	case !strings.HasPrefix(line, "wasport: "),
		status == "2" && see != "" && see != "see wasport run --help":
		if !strings.Contains(got, "wasport run -f NAME calls one of these") {
			t.Errorf("%q: got %q, want one line", value, got)
		}
	}
}
