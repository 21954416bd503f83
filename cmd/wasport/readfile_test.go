package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEndlessFilesAreRefused names files that have no end, or are larger than any of their kind.
func TestEndlessFilesAreRefused(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skipf("needs /dev/zero: %v", err)
	}
	dir := t.TempDir()
	sparse := func(name, beginning string, size int64) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(beginning), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, size); err != nil {
			t.Fatal(err)
		}
		return file
	}
	large := sparse("large.wasm", "\x00asm\x01\x00\x00\x00", maxModuleSize+1)
	const hello = "testdata/module/hello.wasm"
	for _, row := range []struct {
		name, want string
		args       []string
	}{
		{"module without an end", "not WebAssembly", []string{"run", "/dev/zero"}},
		{"inspected", "not WebAssembly", []string{"inspect", "/dev/zero"}},
		{"large module", "larger than 256MiB", []string{"run", large}},
		{"policy", "larger than 16MiB", []string{"run", "--policy=/dev/zero", hello}},
		{"ceiling", "larger than 16MiB", []string{"run", "--policy-ceiling=/dev/zero", hello}},
		{"formatted policy", "larger than 16MiB", []string{"policy", "fmt", "/dev/zero"}},
		{"learnt policy", "larger than 16MiB", []string{"run",
			"--learn=" + sparse("learnt.toml", "", maxPolicySize+1), hello}},
	} {
		t.Run(row.name, func(t *testing.T) {
			cmd := exec.Command("wasport", row.args...)
			cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+dir)
			out, _ := cmd.CombinedOutput()
			if status := cmd.ProcessState.ExitCode(); status != 2 ||
				!strings.Contains(string(out), row.want) || strings.Count(string(out), "\n") != 1 {
				t.Errorf("got status %d, %q; want 2 and a line with %q", status, out, row.want)
			}
		})
	}
}

// TestReadAtMost reads files around the sizes where it stops.
func TestReadAtMost(t *testing.T) {
	const limit, beginning = 10_000, 4 << 10
	for _, row := range []struct {
		size, want int // want is -1 for an error
		magic      string
	}{
		{0, 0, "x"}, {3, 3, "y"}, {beginning - 1, beginning - 1, "y"},
		{beginning, beginning, "y"}, {beginning + 1, beginning, "y"}, {limit + 1, beginning, "y"},
		{beginning, beginning, "x"}, {beginning + 1, beginning + 1, "x"}, {limit, limit, ""},
		{limit, limit, "x"}, {limit + 1, -1, "x"}, {limit + 1, -1, ""}, {10 * limit, -1, ""},
	} {
		got := -1
		b, err := readAtMost(io.LimitReader(repeated('x'), int64(row.size)), limit, row.magic)
		if err == nil {
			got = len(b)
		}
		if got != row.want {
			t.Errorf("%d bytes, magic %q: got %d, %v; want %d", row.size, row.magic, got, err,
				row.want)
		}
	}
}

// repeated is a reader of one byte without an end.
type repeated byte

func (r repeated) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r)
	}
	return len(b), nil
}
