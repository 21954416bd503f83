package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// findTool finds a program that a test drives. Without it the test is skipped, or fails if
// WASPORT_CI=1 is set.
func findTool(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("WASPORT_CI") == "1" {
		t.Fatalf("%v; Debian has it in the package %s", err, debianPackage)
	}
	t.Skipf("%v; Debian has it in the package %s", err, debianPackage)
	return ""
}

// output runs the command and returns its stdout. It must print nothing on stderr.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("wasport", args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("wasport %q: got %v, want no error and no stderr\n%s", args, err, &stderr)
	}
	return string(out)
}

// bashDriver completes the line $1 as bash does at a tab: it splits the line at the characters of
// COMP_WORDBREAKS and calls the function (bash(1), Programmable Completion).
const bashDriver = `
source "$0"
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=()
rest=$1
while [[ $rest =~ ^[[:space:]]*([=:]+|[^=:[:space:]]+)(.*)$ ]]; do
	COMP_WORDS+=("${BASH_REMATCH[1]}") rest=${BASH_REMATCH[2]}
done
[[ $1 == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
compopt() { :; } # fails outside of a completion
_wasport wasport "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
`

func TestBashCompletesCommandsFlagsAndValues(t *testing.T) {
	bash := findTool(t, "bash", "bash")
	dir := t.TempDir()
	script := filepath.Join(dir, "completion")
	if err := os.WriteFile(script, []byte(output(t, "completion", "bash")), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data", "data two"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ line, want string }{
		{"wasport in", "inspect"},
		{"wasport c", "c++|cc|completion"},
		{"wasport run --max-th", "--max-threads"},
		{"wasport run --allow-c", "--allow-connect"},
		{"wasport run --trace --tim", "--timeout"},
		{"wasport run --env A=b --tim", "--timeout"},
		{"wasport run --env=A=b --tim", "--timeout"},
		{"wasport run --listen tcp://127.0.0.1:80 --tim", "--timeout"},
		{"wasport run --listen=tcp://127.0.0.1:80 --tim", "--timeout"},
		{"wasport run -f NAME --tim", "--timeout"},
		{"wasport run --unknown-imports ", "trap"},
		{"wasport run --unknown-imports=", "trap"},
		{"wasport run --dir da", "data|data two"},
		{"wasport run --dir=da", "data|data two"},
		{"wasport run --policy --tim", ""}, // a value, which bash completes as a file
		{"wasport run --timeout ", ""},
		{"wasport run module.wasm --tim", ""}, // an argument of the module
		{"wasport run -- --tim", ""},
		{"wasport inspect --j", "--json"},
		{"wasport inspect module.wasm --j", "--json"},
		{"wasport policy f", "fmt"},
		{"wasport policy check --pol", "--policy-ceiling"},
		{"wasport completion ", "bash|fish|zsh"},
		{"wasport help dem", "demo"},
		{"wasport nosuch --", ""},
	} {
		t.Run(row.line, func(t *testing.T) {
			cmd := exec.Command(bash, "-c", bashDriver, script, row.line)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			words := strings.Split(strings.TrimSpace(string(out)), "\n")
			slices.Sort(words)
			if got := strings.Join(words, "|"); got != row.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, row.want)
			}
		})
	}
}

// TestCompletionScriptsParse has each shell check the syntax of its script.
func TestCompletionScriptsParse(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			path := findTool(t, shell, shell)
			script := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(script, []byte(output(t, "completion", shell)),
				0o666); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(path, "-n", script).CombinedOutput(); err != nil ||
				len(out) > 0 {
				t.Errorf("%s -n: got %v, want no error\n%s", shell, err, out)
			}
		})
	}
}

// TestFishCompletesCommandsAndFlags has fish complete lines (fish, complete -C).
func TestFishCompletesCommandsAndFlags(t *testing.T) {
	fish := findTool(t, "fish", "fish")
	script := filepath.Join(t.TempDir(), "wasport.fish")
	if err := os.WriteFile(script, []byte(output(t, "completion", "fish")), 0o666); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"wasport insp":         "inspect\tlist imports and exports, and say if it can run",
		"wasport run --max-th": "--max-threads\tlimit the threads besides the first (default 64)",
		"wasport inspect --js": "--json\tprint a JSON object",
		"wasport completion z": "zsh",
		"wasport run --unknown-i": "--unknown-imports\trun despite missing imports; calling one " +
			"is a trap",
		"wasport policy fmt --writ": "--write\twrite the files instead of printing them",
	} {
		cmd := exec.Command(
			fish,
			"--no-config",
			"-c",
			`source $argv[1]; complete -C $argv[2]`,
			script,
			line,
		)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", line, got, err, want)
		}
	}
}

// TestGeneratedTextsHaveAllFlags checks that the manual page and each completion script have all
// flags of all commands.
func TestGeneratedTextsHaveAllFlags(t *testing.T) {
	for _, test := range []struct {
		args   []string
		escape func(flag string) string
	}{
		{[]string{"man"}, func(f string) string { return `\fB` + escapeRoff("--"+f) + `\fR` }},
		{[]string{"completion", "bash"}, func(f string) string { return "--" + f }},
		{[]string{"completion", "zsh"}, func(f string) string { return "'*--" + f }},
		{[]string{"completion", "fish"}, func(f string) string { return " -l " + f + " " }},
	} {
		text := strings.ReplaceAll(output(t, test.args...), "-f, ", "\\fB")
		text = regexp.MustCompile(`\\fB\\-., `).ReplaceAllString(text, `\fB`)
		for _, c := range commands() {
			for _, g := range c.page().groups {
				g.VisitAll(func(f *pflag.Flag) {
					if !strings.Contains(text, test.escape(f.Name)) {
						t.Errorf("%q: got no --%s of %s, want it", test.args, f.Name, c.name)
					}
				})
			}
		}
	}
}

// TestManualFormatsEachKindOfText prints a page with paragraphs, examples, titles and flags.
func TestManualFormatsEachKindOfText(t *testing.T) {
	g := newGroup("Group")
	g.Bool("on", false, "do it -- or not")
	g.StringP("file", "f", "", "`FILE` read this")
	g.note = "  .A note that\n  goes on.\n"
	var out strings.Builder
	w := &manWriter{Writer: &out}
	w.title("SH", "PAGE")
	w.text("one\ntwo\n\n  kept as\n    it is\n\n'three\n")
	w.group(g)
	w.text("\nExit status\n      0     good\n")
	want := `.SH "PAGE"
one
two
.PP
.nf
  kept as
    it is
.fi
.PP
\&'three
.SS "Group"
.TP
\fB\-\-on\fR
do it \-\- or not
.TP
\fB\-f, \-\-file\fR \fIFILE\fR
read this
.PP
\&.A note that
goes on.
.SS "Exit status"
.nf
      0     good
.fi
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestManualPassesMandoc lints and formats the page with mandoc(1). The page has no date, since it
// would be the date of the build.
func TestManualPassesMandoc(t *testing.T) {
	mandoc := findTool(t, "mandoc", "mandoc")
	cmd := exec.Command(mandoc, "-T", "lint", "-W", "warning")
	cmd.Stdin = strings.NewReader(output(t, "man"))
	out, _ := cmd.CombinedOutput()
	lines := slices.DeleteFunc(
		strings.Split(strings.TrimSpace(string(out)), "\n"),
		func(line string) bool {
			return strings.Contains(line, `missing date, using "": TH`)
		},
	)
	if len(lines) > 0 {
		t.Errorf("got warnings of mandoc, want none:\n%s", strings.Join(lines, "\n"))
	}
	page := exec.Command(mandoc, "-T", "ascii", "-O", "width=100")
	page.Stdin = strings.NewReader(output(t, "man"))
	shown, err := page.Output()
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(".\b").ReplaceAllString(string(shown), "") // overstruck for bold
	for _, want := range []string{
		"WASPORT(1)", "wasport - run WebAssembly modules on the host's network",
		"wasport run [flags] FILE.wasm [args...]", "--allow-connect RULE", "-f, --function NAME",
		"wasport run --dir ./data::/data:ro --allow-connect tcp://api.example.com:443 " +
			"client.wasm --verbose",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q, want it in\n%s", want, text)
		}
	}
}
