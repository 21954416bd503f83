package main

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/wasport/wasport/internal/needs"
)

const root = "../.."

// documents are the ones that hold true because they are tested: blocks marked "console" are run,
// and those that name a file are a part of it.
var documents = []string{"README.md", "docs/flags.md", "docs/abi.md", "docs/embedding.md",
	"docs/threads.md", "docs/policy.md", "docs/threat-model.md",
	"docs/c/first-program.md", "docs/c/porting.md", "docs/c/coming-from-wamr.md",
	"docs/languages.md", "guest/rust/README.md", "CONTRIBUTING.md", "RATIONALE.md", "CHANGELOG.md",
	"SECURITY.md", "docs/architecture.md", "docs/performance.md", "docs/stability.md"}

// block is what stands between two lines of three backquotes, with what is said after the first.
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

// TestDocuments runs the commands of the documents.
func TestDocuments(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the commands are for a Unix shell")
	}
	dir := clone(t)
	for _, document := range documents {
		for _, b := range blocks(t, document) {
			t.Run(document+":"+strconv.Itoa(b.line), func(t *testing.T) {
				switch {
				case b.file != "":
					text, err := os.ReadFile(filepath.Join(root, b.file))
					if err != nil || !strings.Contains(string(text), b.text) {
						t.Errorf("got a block that is not in %s (%v), want a part of it", b.file, err)
					}
				case b.kind == "console":
					converse(t, dir, b.text)
				}
			})
		}
	}
}

// clone makes a directory with all that is in the repository, where commands can leave things. Go
// finds the packages where they are, and so what it knows of them.
func clone(t *testing.T) string {
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
	init := exec.Command("go", "work", "init", repository)
	init.Dir = dir
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// converse runs the lines that start with "$ " and compares what they print with the lines that
// follow. Lines "..." stand for any number of lines, times and ports may differ. A command that
// ends in & goes on, once it has printed what is said, until "kill %1" or the end of the block.
func converse(t *testing.T, dir, text string) {
	text = strings.ReplaceAll(text, "7000", freePort(t))
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
			t.Errorf("$ %s\nprints\n%snot\n%s", command, got, want)
		}
	}
}

// goCache is where the go command keeps what it built, which would otherwise move with the user's
// cache directory.
func goCache(t *testing.T) string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// freePort is a port that nobody listens on, and none of those that systems give to who asks for
// any: other tests leave thousands of them behind for a minute.
func freePort(t *testing.T) string {
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
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
	timer := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
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

// matches compares what was printed with what is documented.
func matches(got, want string) bool {
	pattern := regexp.QuoteMeta(varying.ReplaceAllString(want, "VARYING"))
	pattern = strings.ReplaceAll("\n"+pattern, "\n\\.\\.\\.\n", "\n(?:.*\n)*")
	got = varying.ReplaceAllString(got, "VARYING")
	return regexp.MustCompile("^" + pattern + "$").MatchString("\n" + got)
}

// TestFlagsDocumented checks that docs/flags.md tells of every flag, and of none that there is not.
func TestFlagsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/flags.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\| .*`).FindAll(text, -1) {
		for _, flag := range regexp.MustCompile("`--([a-z-]+)").FindAllSubmatch(m, -1) {
			told[string(flag[1])] = true
		}
	}
	for _, g := range new(runFlags).groups() {
		g.VisitAll(func(f *pflag.Flag) {
			if !told[f.Name] {
				t.Errorf("docs/flags.md does not tell of --%s", f.Name)
			}
			delete(told, f.Name)
		})
	}
	for _, iwasm := range []string{"stack-size", "heap-size"} {
		delete(told, iwasm)
	}
	for name := range told {
		t.Errorf("docs/flags.md tells of --%s, which there is not", name)
	}
}

// TestLinks checks that what the documents refer to is there.
func TestLinks(t *testing.T) {
	for _, document := range documents {
		text, err := os.ReadFile(filepath.Join(root, document))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^):#]+)\)`).FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(document),
				string(m[1]))); err != nil {
				t.Errorf("%s: %v", document, err)
			}
		}
	}
}
