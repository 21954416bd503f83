package interrupt

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// goTool runs the go command for wasip1 and returns the file that it built.
func goTool(t testing.TB, args ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", append(append([]string{args[0]}, "-o", file), args[1:]...)...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %v: got %v, want no error: %s", args, err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// command runs a guest of wasi_snapshot_preview1 and returns its output and its exit status.
func command(t testing.TB, wasm []byte, dir string, args ...string) (string, uint32) {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	defer rt.Close(ctx)
	instantiateHost(t, ctx, rt, func() {})
	wasi_snapshot_preview1.MustInstantiate(ctx, rt)
	var out bytes.Buffer
	_, err := rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().
		WithArgs(append([]string{"guest"}, args...)...).
		WithEnv("PWD", "/").
		WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount(dir, "/").WithDirMount(t.TempDir(),
			"/tmp")).
		WithStdout(&out).WithStderr(&out).
		WithSysWalltime().WithSysNanotime().
		WithNanosleep(func(ns int64) { time.Sleep(time.Duration(ns)) }).
		WithRandSource(rand.Reader))
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return out.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("got %v, want no error or an exit status\n%s", err, out.String())
	}
	return out.String(), 0
}

var verdict = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): \S+|^(PASS|FAIL|panic).*`)

// verdicts returns the lines with the results of the tests, without times. They are sorted, since
// some tests iterate over a map.
func verdicts(output string) []string {
	list := verdict.FindAllString(output, -1)
	slices.Sort(list)
	return list
}

// TestGoLibraryAfterRewriting runs tests of Go's own library with and without rewriting.
func TestGoLibraryAfterRewriting(t *testing.T) {
	packages := []string{"sort"}
	if os.Getenv("WASPORT_CI") == "1" {
		// encoding/xml is in the list for its recursion.
		packages = append(packages, "strings", "regexp", "encoding/json", "crypto/sha256",
			"math/big", "encoding/xml")
	} else if testing.Short() {
		t.Skip("takes a while")
	}
	// These call one short loop for a minute. The tests of greater numbers run it as well.
	const skipped = "^Test(AddVV|SubVV|MulAddVWW|AddMulVVWW)$"
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		t.Run(p, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(strings.TrimSpace(string(root)), "src", p)
			wasm := goTool(t, "test", "-c", p)
			args := []string{"-test.short", "-test.v", "-test.skip=" + skipped}
			start := time.Now()
			want, wantStatus := command(t, wasm, dir, args...)
			plain := time.Since(start)
			start = time.Now()
			rewritten := rewrite(t, wasm, limited)
			took := time.Since(start)
			start = time.Now()
			got, gotStatus := command(t, rewritten, dir, args...)
			t.Logf("%d tests; rewriting %d bytes took %v; compiling and running %v, without "+
				"rewriting %v",
				strings.Count(want, "--- "), len(wasm), took, time.Since(start), plain)
			if !strings.Contains(want, "--- PASS") {
				t.Fatalf("without rewriting: got no test that passes, want one:\n%s", want)
			}
			if !slices.Equal(verdicts(got), verdicts(want)) || gotStatus != wantStatus {
				t.Errorf("got status %d, want %d as without rewriting\n%s", gotStatus, wantStatus,
					got)
			}
			if _, err := exec.LookPath("wasm-validate"); err == nil {
				validate(t, rewritten)
			}
		})
	}
}

// TestRealModulesWithinCompileBudget compares the estimated compile time of real modules with their
// budget.
func TestRealModulesWithinCompileBudget(t *testing.T) {
	modules := make(map[string][]byte)
	for _, pattern := range []string{"../../../internal/guests/*.wasm",
		"../../../internal/guests/threads/*.wasm", "../../../bench/*.wasm"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: got %d modules, %v; want some", pattern, len(files), err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			modules[filepath.Base(file)] = b
		}
	}
	if os.Getenv("WASPORT_CI") == "1" {
		for _, p := range []string{"cmd/gofmt", "cmd/go", "cmd/compile"} { // of 5, 28 and 49 MB
			modules[p] = goTool(t, "build", p)
		}
	}
	for name, wasm := range modules {
		w := &rewriter{o: limited}
		w.rewrite(wasm)
		if w.err != nil {
			t.Fatalf("%s: got %v, want no error", name, w.err)
		}
		budget := costBase + costPerByte*float64(len(wasm))
		values := float64(budgetBase + budgetPerByte*len(wasm))
		if part := 1 - float64(w.valueBudget)/values; part > 0.1 {
			t.Errorf("%s of %d bytes: got %.2f of the budget of values, want at most 0.1", name,
				len(wasm), part)
		}
		if part := 1 - w.compileBudget/budget; part > 0.7 {
			t.Errorf("%s of %d bytes: got %.2f of the budget, want at most 0.7", name, len(wasm),
				part)
		} else if len(wasm) > 1<<20 {
			t.Logf("%s of %d bytes: %.2f of the budget", name, len(wasm), part)
		}
	}
}
