package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const standardGuest = "../../internal/guests/standard.wasm"

// standardTypes has the files that a shell makes standard streams of, apart from terminals, and
// their types as the guest prints them.
var standardTypes = map[string]string{"pipe": "other", "file": "file", "null": "device"}

// TestStandardStreams runs a guest with each kind of file as stdin, stdout and stderr.
func TestStandardStreams(t *testing.T) {
	for _, kinds := range [][3]string{
		{"pipe", "pipe", "pipe"}, {"file", "file", "file"}, {"null", "pipe", "null"},
		{"pipe", "null", "file"}, {"file", "pipe", "null"}, {"null", "file", "pipe"},
	} {
		t.Run(strings.Join(kinds[:], " "), func(t *testing.T) {
			t.Parallel()
			var want strings.Builder
			for fd, kind := range kinds {
				want.WriteString(string(rune('0'+fd)) + " " + standardTypes[kind] + "\n")
			}
			if kinds[0] != "null" {
				want.WriteString("in hello\n")
			}
			want.WriteString("end\n")

			dir := t.TempDir()
			cmd := exec.Command("wasport", "run", standardGuest)
			switch kinds[0] {
			case "pipe":
				cmd.Stdin = strings.NewReader("hello\n")
			case "file":
				name := filepath.Join(dir, "in")
				writeFile(t, name, "hello\n")
				file, err := os.Open(name)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				cmd.Stdin = file
			}
			stdout := standardOutput(t, &cmd.Stdout, kinds[1], filepath.Join(dir, "out"))
			stderr := standardOutput(t, &cmd.Stderr, kinds[2], filepath.Join(dir, "err"))
			if err := cmd.Run(); err != nil {
				t.Error(err)
			}
			for fd, read := range []func() string{stdout, stderr} {
				if got := read(); got != want.String() && kinds[fd+1] != "null" {
					t.Errorf("descriptor %d: got %q, want %q", fd+1, got, want.String())
				}
			}
		})
	}
}

// standardOutput sets an output of a command, which is os.DevNull if it stays nil. read returns
// what the command has written there.
func standardOutput(t *testing.T, out *io.Writer, kind, name string) (read func() string) {
	t.Helper()
	switch kind {
	case "pipe":
		var b bytes.Buffer
		*out = &b
		return b.String
	case "file":
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		*out = file
		return func() string {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Error(err)
			}
			return string(b)
		}
	}
	return func() string { return "" }
}
