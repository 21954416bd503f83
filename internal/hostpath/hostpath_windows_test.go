package hostpath

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestCheckOfWindows tries the names that Windows has for a directory and the files in it.
func TestCheckOfWindows(t *testing.T) {
	top := t.TempDir()
	for _, dir := range []string{`data\inner`, "beside"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{`data\file`, `beside\file`, `beside\linked`} {
		if err := os.WriteFile(filepath.Join(top, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(top, `beside\linked`),
		filepath.Join(top, `data\inner\other`)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(top)
	rest := top[len(filepath.VolumeName(top)):]
	for _, test := range []struct {
		dir, path string
		within    bool
	}{
		{"data", `data\file`, true},
		{"data", "data/file", true},
		{"data", "DATA/File", true},
		{"DATA", "data/file", true},
		{"data", `data\nothing`, true},
		{"data", `data.\file`, true},
		{"data", `.\beside\..\data\file`, true},
		{"data", rest + `\data\file`, true},
		{"data", `\\?\` + top + `\data\file`, true},
		{"data", `beside\linked`, true}, // a hard link
		{"data", `beside\file`, false},
		{"data", `data\..\beside\file`, false}, // Windows takes ".." out of the text
		{`data\inner`, `data\file`, false},
	} {
		t.Run(test.dir+" and "+test.path, func(t *testing.T) {
			dirs, err := New([]string{test.dir})
			if err != nil {
				t.Fatal(err)
			}
			var e *Error
			if err := dirs.Check(test.path); errors.As(err, &e) != test.within {
				t.Errorf("got %v, want it refused: %v", err, test.within)
			}
		})
	}
}
