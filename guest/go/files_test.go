package goguest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/guest/go/internal/guesttest"
)

// TestRelativeDirectoriesAreFound grants directories with relative names. Go's runtime looks up
// only absolute paths (preparePath in Go's os/fs_wasip1.go), so wasport makes the names absolute.
func TestRelativeDirectoriesAreFound(t *testing.T) {
	module := programs.Guest(t, "./internal/programs/files")
	root := t.TempDir()
	for path, text := range map[string]string{"f": "top", "sub/f": "below", "work/f": "other"} {
		file := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(root, "work"))
	up := filepath.Dir(root)
	for _, row := range []struct {
		name  string
		dirs  []wasport.Dir
		env   []string
		paths map[string]string // contents by path
	}{
		{".", []wasport.Dir{{Host: "."}}, nil,
			map[string]string{"f": "other", "./f": "other", "/f": "other"}},
		{"empty PWD", []wasport.Dir{{Host: "."}}, []string{"PWD="},
			map[string]string{"f": "other"}},
		{"./", []wasport.Dir{{Host: "./"}}, nil, map[string]string{"f": "other"}},
		{"..", []wasport.Dir{{Host: ".."}}, nil, map[string]string{"../sub/f": "below"}},
		{"above", []wasport.Dir{{Host: "../sub"}}, nil,
			map[string]string{"../sub/f": "below", "/sub/f": "below"}},
		{"relative name", []wasport.Dir{{Host: root, Guest: "data"}}, nil,
			map[string]string{"data/f": "top", "./data/sub/f": "below", "/data/f": "top"}},
		{"PWD", []wasport.Dir{{Host: "."}}, []string{"PWD=/home/me"},
			map[string]string{"f": "other", "/home/me/f": "other"}},
		{"absolute and relative", []wasport.Dir{{Host: root}, {Host: "."}}, nil,
			map[string]string{"f": "other", root + "/sub/f": "below"}},
		{"absolute alone", []wasport.Dir{{Host: root}}, nil,
			map[string]string{"f": "top", root + "/f": "top"}},
		{"root", []wasport.Dir{{Host: up, Guest: "/"}}, nil,
			map[string]string{filepath.Base(root) + "/f": "top"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for path, want := range row.paths {
				got := guesttest.Output(t, module, wasport.Config{
					Args: []string{"files", path}, Dirs: row.dirs, Env: row.env,
				})
				if want := path + ": " + want; strings.TrimSpace(got) != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}
