package main

import (
	"bytes"
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

// TestBadFlagValuesHaveOneClearLine gives each flag of run values that most flags refuse.
func TestBadFlagValuesHaveOneClearLine(t *testing.T) {
	module, err := filepath.Abs("testdata/module/hello.wasm")
	if err != nil {
		t.Fatal(err)
	}
	cache, dir := t.TempDir(), t.TempDir()
	values := []string{
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
	for _, g := range new(runFlags).groups() {
		g.VisitAll(func(f *pflag.Flag) {
			t.Run(f.Name, func(t *testing.T) {
				for _, value := range values {
					cmd := exec.Command(
						"wasport",
						"run",
						"--"+f.Name+"="+value,
						"--no-cache",
						"--interpreter",
						module,
					)
					cmd.Dir = dir
					cmd.Env = append(
						os.Environ(),
						"XDG_CACHE_HOME="+cache,
						"GORACE=atexit_sleep_ms=0",
					)
					var stderr bytes.Buffer
					cmd.Stderr = &stderr
					cmd.Run()
					got := stderr.String()
					if words := goWords.FindString(got); words != "" {
						t.Errorf("%q: got %q, want it without %q", value, got, words)
					}
					line, see, _ := strings.Cut(strings.TrimSuffix(got, "\n"), "\n")
					switch code := cmd.ProcessState.ExitCode(); {
					case code == 0:
					case code != 1 && code != 2:
						t.Errorf("%q: got status %d, want 1 or 2", value, code)
					case !strings.HasPrefix(line, "wasport: "),
						code == 2 && see != "" && see != "see wasport run --help":
						if !strings.Contains(got, "wasport run -f NAME calls one of these") {
							t.Errorf("%q: got %q, want one line", value, got)
						}
					}
				}
			})
		})
	}
}
