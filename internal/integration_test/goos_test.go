package integration_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasport/wasport"
)

// skippedTests are Go's tests of package os that need a device, which the guest does not have.
const skippedTests = "^TestDevNullFile$"

var failedTest = regexp.MustCompile(`(?m)^ *--- FAIL: .*`)

// TestGoOSPackageAsGuest runs Go's own tests of its package os as a guest, in a directory of its
// own and with Go's sources for reading.
func TestGoOSPackageAsGuest(t *testing.T) {
	if testing.Short() || !canMeasure || interpreted() {
		t.Skip("runs Go's own tests of os only without -short, without -race and with the compiler")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot := strings.TrimSpace(string(root))
	file := filepath.Join(t.TempDir(), "os.wasm")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", file, "os")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := shared.runtime.Compile(t.Context(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())

	own := t.TempDir()
	for _, dir := range []string{"tmp", "dev"} {
		if err := os.Mkdir(filepath.Join(own, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(own, "dev", "null"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	status, err := m.Run(t.Context(), wasport.Config{
		Args:   []string{"os.test", "-test.short", "-test.v", "-test.skip=" + skippedTests},
		Env:    []string{"PWD=" + filepath.ToSlash(filepath.Join(goroot, "src", "os"))},
		Stdout: &out, Stderr: &out,
		Dirs: []wasport.Dir{
			{Host: own, Guest: "/"},
			{Host: goroot, Guest: filepath.ToSlash(goroot), ReadOnly: true},
		},
	})
	failed := failedTest.FindAllString(out.String(), -1)
	if err != nil || status.Code != 0 || len(failed) > 0 {
		t.Errorf("got %v, status %d, %d tests failed, want none:\n%s\n%s",
			err, status.Code, len(failed), strings.Join(failed, "\n"), out.String())
	}
	if passed := strings.Count(out.String(), "--- PASS"); passed < 500 {
		t.Errorf("got %d tests that passed, want at least 500", passed)
	}
}
