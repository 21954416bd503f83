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

// tool finds a program that a test drives; without it the test is left out, unless this is CI.
func tool(t *testing.T, name, debianPackage string) string {
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

// printed runs the command and returns what it prints.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("wasport", args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("wasport %q: %v\n%s", args, err, &stderr)
	}
	return string(out)
}

// bashDriver does what bash does when tab is pressed at the end of the line $1: it splits the line
// as COMP_WORDBREAKS says, and calls the function.
const bashDriver = `
source "$0"
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=()
rest=$1
while [[ $rest =~ ^[[:space:]]*([=:]+|[^=:[:space:]]+)(.*)$ ]]; do
	COMP_WORDS+=("${BASH_REMATCH[1]}") rest=${BASH_REMATCH[2]}
done
[[ $1 == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
compopt() { :; } # there is no completion under way
_wasport wasport "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
`

func TestBashCompletion(t *testing.T) {
	bash := tool(t, "bash", "bash")
	dir := t.TempDir()
	script := filepath.Join(dir, "completion")
	if err := os.WriteFile(script, []byte(printed(t, "completion", "bash")), 0o666); err != nil {
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
		{"wasport run --policy --tim", ""}, // the value of --policy, which bash completes as a file
		{"wasport run --timeout ", ""},
		{"wasport run module.wasm --tim", ""}, // a flag of the module
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

// TestCompletionIsRead lets each shell read what is for it.
func TestCompletionIsRead(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			path := tool(t, shell, shell)
			script := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(script, []byte(printed(t, "completion", shell)),
				0o666); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(path, "-n", script).CombinedOutput(); err != nil ||
				len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestFishCompletion asks fish itself.
func TestFishCompletion(t *testing.T) {
	fish := tool(t, "fish", "fish")
	script := filepath.Join(t.TempDir(), "wasport.fish")
	if err := os.WriteFile(script, []byte(printed(t, "completion", "fish")), 0o666); err != nil {
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

// TestMadeOfFlags checks that all flags of all commands are in what is made of them.
func TestMadeOfFlags(t *testing.T) {
	for _, made := range []struct {
		args   []string
		escape func(flag string) string
	}{
		{[]string{"man"}, func(f string) string { return `\fB` + escapeRoff("--"+f) + `\fR` }},
		{[]string{"completion", "bash"}, func(f string) string { return "--" + f }},
		{[]string{"completion", "zsh"}, func(f string) string { return "'*--" + f }},
		{[]string{"completion", "fish"}, func(f string) string { return " -l " + f + " " }},
	} {
		text := strings.ReplaceAll(printed(t, made.args...), "-f, ", "\\fB")
		text = regexp.MustCompile(`\\fB\\-., `).ReplaceAllString(text, `\fB`)
		for _, c := range commands() {
			for _, g := range c.page().groups {
				g.VisitAll(func(f *pflag.Flag) {
					if !strings.Contains(text, made.escape(f.Name)) {
						t.Errorf("%q: got no --%s of %s", made.args, f.Name, c.name)
					}
				})
			}
		}
	}
}

// TestManualText prints a page that has each kind of text and of flag.
func TestManualText(t *testing.T) {
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

// TestManual lets mandoc look at the page. The date of a page made of flags would be that of the
// build.
func TestManual(t *testing.T) {
	mandoc := tool(t, "mandoc", "mandoc")
	cmd := exec.Command(mandoc, "-T", "lint", "-W", "warning")
	cmd.Stdin = strings.NewReader(printed(t, "man"))
	out, _ := cmd.CombinedOutput()
	lines := slices.DeleteFunc(
		strings.Split(strings.TrimSpace(string(out)), "\n"),
		func(line string) bool {
			return strings.Contains(line, `missing date, using "": TH`)
		},
	)
	if len(lines) > 0 {
		t.Errorf("mandoc says\n%s", strings.Join(lines, "\n"))
	}
	page := exec.Command(mandoc, "-T", "ascii", "-O", "width=100")
	page.Stdin = strings.NewReader(printed(t, "man"))
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
			t.Errorf("got no %q in\n%s", want, text)
		}
	}
}
