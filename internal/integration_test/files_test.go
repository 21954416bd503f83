package integration_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/needs"
)

func TestFilesInGuestDirectory(t *testing.T) {
	g := startGuestWith(t, context.Background(),
		wasport.Config{Dirs: []wasport.Dir{{Host: t.TempDir(), Guest: "/data"}}}, "files", "/data")
	g.expectLines("file ok", "content HEllo!", "list a.txt sub/", "list sub/", "directory ok")
	t.Run("symbolic links", func(t *testing.T) {
		needs.NotWine(t)
		g.t = t
		g.expectLines("list link sub/", "list")
		g.waitExit(0)
	})
}

// TestPathsOutsideDirectoryAreRefused tries to leave a guest's directory. Files outside stay
// unchanged, and none of their contents is read.
func TestPathsOutsideDirectoryAreRefused(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "dir")
	for _, d := range []string{dir, filepath.Join(dir, "sub"), filepath.Join(outside, "dir2")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"secret": "SECRET", "dir2/secret": "SECRET",
		"dir/inside": "inside"} {
		if err := os.WriteFile(filepath.Join(outside, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Links that were there before the guest came, which may lead anywhere.
	for name, target := range map[string]string{
		"up": "..", "abs": outside, "file": "../secret",
		"absfile": filepath.Join(outside, "secret"), "sub/twice": "../../secret",
		"chain": "up", "loop": "loop", "dangling": "../new",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	before := snapshotTree(t, outside)
	paths := []string{
		"..", "../secret", "/", "/etc/passwd", outside, filepath.Join(outside, "secret"),
		"sub/../../secret", "./../secret",
		"sub/../../dir2/secret", "../dir2", "../dir/../secret", "sub/../..", "//etc/passwd",
		"../../../../../../../../etc/passwd",
		"up/secret", "abs/secret", "file", "absfile", "sub/twice", "chain/secret", "up/dir2/secret",
		"up/new", "abs/new", "dangling",
		"sub/../up/secret", "nothing/../../secret", "inside/../../secret", "../",
		"sub/.././../secret", "loop/secret", "../dir2/new",
		"up/dir/../secret", "./up/./secret", "abs", "up", "chain", "..//secret",
		"sub//..//..//secret", ".../../secret", "up/../secret",
	}
	g := startGuestWith(t, context.Background(),
		wasport.Config{Dirs: []wasport.Dir{{Host: dir, Guest: "/"}}}, "escape", paths...)
	out := g.waitExit(0)
	if strings.Contains(out, "SECRET") || strings.Contains(out, "root:") {
		t.Errorf("got the contents of files outside, want none:\n%s", out)
	}
	for _, p := range paths {
		for line := range strings.Lines(out) {
			if rest, ok := strings.CutPrefix(line, "open "+p+" "); ok &&
				strings.HasPrefix(rest, "0 ") {
				t.Errorf("open %s: got success, want an error", p)
			}
		}
	}
	for name, what := range before {
		if !strings.HasPrefix(name, "dir/") && snapshotTree(t, outside)[name] != what {
			t.Errorf("%s: got it changed, want it as before", name)
		}
	}
	for name := range snapshotTree(t, outside) {
		if _, was := before[name]; !was && !strings.HasPrefix(name, "dir/") {
			t.Errorf("%s: got a new file, want none outside", name)
		}
	}
}

// snapshotTree lists the files beneath a directory with their types and contents.
func snapshotTree(t *testing.T, root string) map[string]string {
	t.Helper()
	list := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		list[name] = d.Type().String()
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			list[name] += string(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestArgsEnvironmentAndStdio(t *testing.T) {
	var out, errs bytes.Buffer
	status, err := compileGuest(t, "stdio").Run(context.Background(), wasport.Config{
		Args: []string{"program", "one", ""}, Env: []string{"A=1", "B="},
		Stdin: strings.NewReader("first\nsecond\n"), Stdout: &out, Stderr: &errs,
	})
	if err != nil || status.Code != 0 {
		t.Fatalf("got %+v, %v, want status 0", status, err)
	}
	const want = "arg 0 program\narg 1 one\narg 2 \nenv A=1\nenv B=\nin first\nin second\n"
	if out.String() != want || errs.String() != "done\n" {
		t.Errorf("got stdout %q, stderr %q, want %q, %q", &out, &errs, want, "done\n")
	}
}

func TestInvalidConfigIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		config wasport.Config
		want   string
	}{
		{"argument with NUL", wasport.Config{Args: []string{"a\x00b"}}, "NUL"},
		{"environment without value", wasport.Config{Env: []string{"novalue"}}, "NAME=value"},
		{"environment without name", wasport.Config{Env: []string{"=v"}}, "NAME=value"},
		{"missing directory", wasport.Config{Dirs: []wasport.Dir{{Host: "/does/not/exist"}}},
			"/does/not/exist"},
		{"missing function", wasport.Config{Function: "nothing"}, "nothing"},
		{"too many parameters", wasport.Config{Params: []uint64{1}}, "0 arguments"},
		{"too little memory", wasport.Config{MaxMemory: 1}, "memory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := compileGuest(t, "exit").Run(context.Background(),
				test.config); err == nil ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
