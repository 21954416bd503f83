package main

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

const root = "../.."

// assemblyScript is the directory, below the root, that has npm install AssemblyScript's compiler.
const assemblyScript = "internal/guests/assemblyscript"

// documents are the tested documents. TestDocuments runs their blocks marked "console", and
// compares a block that names a file with that file.
var documents = []string{"README.md", "docs/flags.md", "docs/abi.md", "docs/embedding.md",
	"docs/threads.md", "docs/policy.md", "docs/threat-model.md",
	"docs/c/first-program.md", "docs/c/porting.md", "docs/c/debugging.md",
	"docs/c/coming-from-wamr.md",
	"docs/languages.md", "docs/components.md", "guest/rust/README.md", "CONTRIBUTING.md",
	"RATIONALE.md", "CHANGELOG.md",
	"SECURITY.md", "docs/architecture.md", "docs/performance.md", "docs/stability.md"}

// block is a fenced code block with the kind and the file of its first line.
type block struct {
	kind, file string
	line       int
	text       string
}

var fence = regexp.MustCompile("(?ms)^```([a-z]*) ?(\\S*)\n(.*?)^```$")

func blocks(t *testing.T, document string) (list []block) {
	text, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fence.FindAllSubmatchIndex(text, -1) {
		b := block{
			kind: string(text[m[2]:m[3]]), file: string(text[m[4]:m[5]]),
			line: 1 + bytes.Count(text[:m[0]], []byte("\n")), text: string(text[m[6]:m[7]]),
		}
		if b.kind == "diff" { // its lines were added to the file
			b.text = strings.ReplaceAll("\n"+b.text, "\n+", "\n")[1:]
		}
		list = append(list, b)
	}
	return list
}

// TestDocuments runs the commands of the documents, and compares their output with the document.
func TestDocuments(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the commands are for a Unix shell")
	}
	dir := linkRepository(t)
	for _, document := range documents {
		for _, b := range blocks(t, document) {
			t.Run(document+":"+strconv.Itoa(b.line), func(t *testing.T) {
				switch {
				case b.file != "":
					text, err := os.ReadFile(filepath.Join(root, b.file))
					if err != nil || !strings.Contains(string(text), b.text) {
						t.Errorf("got %v and a block that is not in %s, want a part of it", err,
							b.file)
					}
				case b.kind == "console":
					runConsole(t, dir, b.text)
				}
			})
		}
	}
	t.Run("files are ignored", func(t *testing.T) { checkIgnored(t, dir) })
}

// checkIgnored looks for files that commands have made in a directory of linkRepository, and that
// Git would list in a clone.
func checkIgnored(t *testing.T, dir string) {
	text, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	patterns := append(strings.Fields(string(text)), "go.work", "cache") // which the test makes
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		ignored := func(pattern string) bool {
			matched, _ := path.Match(strings.Trim(pattern, "/"), e.Name())
			return matched
		}
		if e.Type() != os.ModeSymlink && !slices.ContainsFunc(patterns, ignored) {
			t.Errorf("got a file %s that .gitignore does not have, want one that it has", e.Name())
		}
	}
}

// linkRepository returns a directory of symbolic links to the files of the repository, in which
// commands can create files. A go.work file leads the go command to the packages, and npx finds the
// compiler of AssemblyScript.
func linkRepository(t *testing.T) string {
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(repository)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), "go.") {
			if err := os.Symlink(filepath.Join(repository, e.Name()),
				filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Symlink(filepath.Join(repository, assemblyScript, "node_modules"),
		filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	init := exec.Command("go", "work", "init", repository)
	init.Dir = dir
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("go work init: got %v, want no error\n%s", err, out)
	}
	return dir
}

// runConsole runs the lines that start with "$ " and compares their output with the lines that
// follow. Lines "..." stand for any number of lines, times and ports may differ. A command that
// ends in & goes on, once it has printed what is said, until "kill %1" or the end of the block.
func runConsole(t *testing.T, dir, text string) {
	free := testutil.ClosedPort(t, "127.0.0.1").Port()
	text = strings.ReplaceAll(text, "7000", strconv.Itoa(int(free)))
	parts := strings.Split("\n"+text, "\n$ ")[1:]
	path := os.Getenv("PATH")
	targets := strings.NewReplacer() // of Rust, which has had two names for its target
	for _, part := range parts {
		words := strings.Fields(part)
		command := words[0]
		for strings.Contains(command, "=") { // a variable of the command's environment
			words = words[1:]
			command = words[0]
		}
		switch {
		case command == "kill": // the shell's own
		case strings.HasPrefix(part, "wasport c++ "):
			needs.CompilerCXX(t)
		case strings.HasPrefix(part, "wasport cc "), command == "clang":
			needs.Compiler(t)
		case command == "npx":
			needs.Programs(t, "npx")
			dir, name := npxCommand(words[1:])
			needs.NodeModules(t, root, dir, name)
		case command == "cargo", command == "rustc":
			needs.Programs(t, "cargo")
			rustc, target := needs.Rust(t)
			path = filepath.Dir(rustc) + string(os.PathListSeparator) + path
			targets = strings.NewReplacer("wasm32-wasi", target)
		default:
			needs.Programs(t, command)
		}
	}
	stopJob := func() {}
	for _, part := range parts {
		command, want, _ := strings.Cut(part, "\n")
		if want != "" {
			want = strings.TrimSuffix(want, "\n") + "\n"
		}
		var out bytes.Buffer
		line, background := strings.CutSuffix(command, " &")
		if background {
			line = "exec " + line // or the shell would get the signal at the end
		}
		cmd := exec.Command("sh", "-c", targets.Replace(line))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+path, "GOCACHE="+goCache(t),
			"XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "GORACE=atexit_sleep_ms=0")
		if background {
			stopJob = startJob(t, cmd, want)
			continue
		}
		if command == "kill %1" {
			stopJob()
			continue
		}
		cmd.Stdout, cmd.Stderr = &out, &out // in the order in which a terminal would show it
		cmd.Run()                           // its status is printed where it matters
		if got := out.String(); !matches(got, want) {
			t.Errorf("$ %s\ngot\n%swant\n%s", command, got, want)
		}
	}
}

// npxCommand returns the command that npx runs, and the directory that locks its package.
func npxCommand(words []string) (dir, name string) {
	if words[0] == "--prefix" {
		return words[1], words[2]
	}
	return assemblyScript, words[0]
}

// goCache returns the go command's cache, which would otherwise move with XDG_CACHE_HOME.
func goCache(t *testing.T) string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// startJob starts a command and waits until it has printed the text. stop ends it; the end of the
// test does so as well.
func startJob(t *testing.T, cmd *exec.Cmd, want string) (stop func()) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	t.Cleanup(stop)
	timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	got := make([]byte, 0, 1024)
	for len(got) < len(want) {
		n, err := out.Read(got[len(got):cap(got)])
		if got = got[:len(got)+n]; err != nil {
			break
		}
	}
	if string(got) != want {
		t.Fatalf("got output %q, want %q", got, want)
	}
	return stop
}

var varying = regexp.MustCompile(`<\d+\.\d{6}>|(127\.0\.0\.1|\[::1\])[: ]\d{5}\b`)

// matches compares the output of a command with a document.
func matches(got, want string) bool {
	pattern := regexp.QuoteMeta(varying.ReplaceAllString(want, "VARYING"))
	pattern = strings.ReplaceAll("\n"+pattern, "\n\\.\\.\\.\n", "\n(?:.*\n)*")
	got = varying.ReplaceAllString(got, "VARYING")
	return regexp.MustCompile("^" + pattern + "$").MatchString("\n" + got)
}

// TestFlagsAreDocumented checks that docs/flags.md has every flag of run and no others.
func TestFlagsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/flags.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\| .*`).FindAll(text, -1) {
		for _, flag := range regexp.MustCompile("`--([a-z-]+)").FindAllSubmatch(m, -1) {
			documented[string(flag[1])] = true
		}
	}
	for _, g := range new(runFlags).groups() {
		g.VisitAll(func(f *pflag.Flag) {
			if !documented[f.Name] {
				t.Errorf("docs/flags.md has no --%s, want it", f.Name)
			}
			delete(documented, f.Name)
		})
	}
	for _, iwasm := range []string{"stack-size", "heap-size"} {
		delete(documented, iwasm)
	}
	for name := range documented {
		t.Errorf("docs/flags.md has --%s, want no flag that does not exist", name)
	}
}
