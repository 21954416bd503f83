package conformance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	guestc "github.com/wasport/wasport/guest/c"
	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/network"
)

// TestProgramsPrintAsNative runs each program natively and as a guest, and compares the lines that
// they print.
func TestProgramsPrintAsNative(t *testing.T) {
	b := newBuilder(t)
	sources, err := filepath.Glob("src/*.c")
	if err != nil {
		t.Fatal(err)
	}
	rt := newRuntime(t)
	peers := map[string][]string{
		"4": startEchoServers(t, machine, "127.0.0.1"),
		"6": startEchoServers(t, machine, "::1"),
	}
	inMemory := newMemoryHost(t)
	memoryPeers := map[string][]string{
		"4": startEchoServers(t, inMemory.peers(), "127.0.0.1"),
		"6": startEchoServers(t, inMemory.peers(), "::1"),
	}

	for _, source := range sources {
		name := strings.TrimSuffix(filepath.Base(source), ".c")
		t.Run(name, func(t *testing.T) {
			native := b.buildNative(t, source)
			module := compileGuest(t, rt, b.buildModule(t, source))
			plain := compileGuest(t, rt, b.buildModule(t, source, "-DWASPORT_EXT=0"))
			checkWAMRImports(t, plain)
			for family, ports := range peers {
				t.Run("IPv"+family, func(t *testing.T) {
					if ports == nil {
						t.Skip("this machine has no such address")
					}
					args := append([]string{name, family}, ports...)
					want := runNative(t, native, args)
					comparePrinted(t, runModule(t, module, nil, args), want)
					if texts := wamrDifferences[name]; !slices.Contains(texts, "") {
						comparePrinted(t, dropLines(runModule(t, plain, nil, args), texts),
							dropLines(want, texts))
					}
					if slices.Contains(memoryDifferences[name], "") {
						return
					}
					t.Run("in memory", func(t *testing.T) {
						args := append([]string{name, family}, memoryPeers[family]...)
						got := runModule(t, module, inMemory, args)
						compareInMemory(t, name, family, got, want)
						if texts := wamrDifferences[name]; !slices.Contains(texts, "") {
							got := runModule(t, plain, inMemory, args)
							compareInMemory(t, name, family, dropLines(got, texts),
								dropLines(want, texts))
						}
					})
				})
			}
		})
	}
}

// wamrDifferences lists, for each program, texts of the lines that may differ in a module with
// WAMR's functions only. The empty text stands for all lines.
var wamrDifferences = map[string][]string{
	"arguments":  {"FIONREAD", " bytes"},
	"cmsg":       {""},         // none at all
	"connect":    {"SO_ERROR"}, // emulated, after a connect only
	"epoll":      {""},         // which is wasport's own, as are pipes and pairs
	"pipe":       {""},
	"socketpair": {""},
	"unix":       {""},
	"interfaces": {""},
	"multicast":  {""}, // names interfaces by their numbers
	"names":      {"fe80::1%lo", "scope some"},
	"options":    {""}, // most of them
	"poll":       {"nothing asked"},
	// Without SO_ERROR, the next recv gets the pending error.
	"tcp": {"pending", "recv(fds[0], &byte, 1, 0)"},
	"udp": {"pending", "recv(fd, &byte, 1, MSG_DONTWAIT)", "released"},
}

// checkWAMRImports checks that iwasm could run a module, too: that the module imports none of
// wasport's own functions.
func checkWAMRImports(t *testing.T, mod *wasport.Module) {
	t.Helper()
	for _, i := range mod.Imports() {
		if i.Module != "wasi_snapshot_preview1" {
			t.Errorf("got an import of %v, want WASI's and WAMR's only", i)
		}
	}
}

// builder compiles programs.
type builder struct {
	cc      string
	library *guestc.Library
	dir     string
}

func newBuilder(t *testing.T) *builder {
	needs.Compiler(t)
	needs.Programs(t, "cc")
	if _, err := os.Stat("/etc/services"); err != nil {
		needs.Missing(t, fmt.Errorf("%w; on Debian: apt-get install netbase", err))
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Fatal(err)
	}
	toolchain, err := guestc.Find(os.Getenv)
	if err != nil {
		needs.Missing(t, err)
	}
	b := &builder{cc: cc, dir: t.TempDir()}
	if b.library, err = toolchain.Library(t.Context(), b.dir); err != nil {
		t.Fatal(err)
	}
	return b
}

// warnings make both compilers equally strict, so that a declaration that one of them lacks is
// noticed.
var warnings = []string{"-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
	"-Wno-unknown-warning-option", "-Wno-stringop-overflow"}

func (b *builder) buildNative(t *testing.T, source string) string {
	out := filepath.Join(t.TempDir(), "program")
	runCompiler(t, exec.CommandContext(t.Context(), b.cc, append(warnings, source, "-o", out,
		"-lresolv")...))
	return out
}

func (b *builder) buildModule(t *testing.T, source string, flags ...string) []byte {
	out := filepath.Join(t.TempDir(), "program.wasm")
	args := append(append(warnings, flags...), source, "-o", out)
	cmd, err := b.library.Command(t.Context(), false, args...)
	if err != nil {
		t.Fatal(err)
	}
	runCompiler(t, cmd)
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func runCompiler(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("got %v, want a program\n%s", err, out)
	}
}

func runNative(t *testing.T, program string, args []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), programTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Args = args
	cmd.Env = []string{}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("natively: got %v, want exit status 0\n%s%s", err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}

// runModule runs a program as a guest. A nil network is that of the machine.
func runModule(t *testing.T, mod *wasport.Module, n network.Network, args []string) string {
	t.Helper()
	out, errs, status, err := runGuest(t, mod, n, args)
	if err != nil || status.Code != 0 {
		t.Fatalf("as a guest: got %v, status %d, want 0\n%s%s", err, status.Code, out, errs)
	}
	return out
}

// comparePrinted compares two outputs line by line.
func comparePrinted(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	if len(w) < 5 {
		t.Errorf("got %q natively, want at least 5 lines", want)
	}
	for i := range max(len(g), len(w)) {
		line := func(lines []string) string {
			if i < len(lines) {
				return lines[i]
			}
			return "(the end)"
		}
		if line(g) != line(w) {
			t.Errorf("line %d: got\n\t%s\nwant as natively\n\t%s", i+1, line(g), line(w))
		}
	}
}
