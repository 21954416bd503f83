package integration_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport"
)

func TestFilesInGuestDirectory(t *testing.T) {
	g := startGuestWith(t, context.Background(),
		wasport.Config{Dirs: []wasport.Dir{{Host: t.TempDir(), Guest: "/data"}}}, "files", "/data")
	if out := g.waitExit(0); !strings.Contains(out, "file ok\n") {
		t.Errorf("the guest said %q", out)
	}
}

// TestPathsOutsideDirectoryAreRefused tries to get out of a directory; what is outside stays as it
// is, and nothing of it is seen.
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
		t.Errorf("the guest read what is outside:\n%s", out)
	}
	for _, p := range paths {
		for line := range strings.Lines(out) {
			if rest, ok := strings.CutPrefix(line, "open "+p+" "); ok &&
				strings.HasPrefix(rest, "0 ") {
				t.Errorf("%s was opened", p)
			}
		}
	}
	for name, what := range before {
		if !strings.HasPrefix(name, "dir/") && snapshotTree(t, outside)[name] != what {
			t.Errorf("%s was changed", name)
		}
	}
	for name := range snapshotTree(t, outside) {
		if _, was := before[name]; !was && !strings.HasPrefix(name, "dir/") {
			t.Errorf("%s was made", name)
		}
	}
}

// snapshotTree lists what is beneath a directory, and what is in it.
func snapshotTree(t *testing.T, root string) map[string]string {
	t.Helper()
	list := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
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
		t.Fatalf("%+v, %v", status, err)
	}
	const want = "arg 0 program\narg 1 one\narg 2 \nenv A=1\nenv B=\nin first\nin second\n"
	if out.String() != want || errs.String() != "done\n" {
		t.Errorf("stdout %q, stderr %q", &out, &errs)
	}
}

func TestInvalidConfigIsRefused(t *testing.T) {
	for _, test := range []struct {
		config wasport.Config
		want   string
	}{
		{wasport.Config{Args: []string{"a\x00b"}}, "NUL"},
		{wasport.Config{Env: []string{"novalue"}}, "NAME=value"},
		{wasport.Config{Env: []string{"=v"}}, "NAME=value"},
		{wasport.Config{Dirs: []wasport.Dir{{Host: "/does/not/exist"}}}, "/does/not/exist"},
		{wasport.Config{Function: "nothing"}, "nothing"},
		{wasport.Config{Params: []uint64{1}}, "0 arguments"},
		{wasport.Config{MaxMemory: 1}, "memory"},
	} {
		if _, err := compileGuest(t, "exit").Run(context.Background(), test.config); err == nil ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test.config, err)
		}
	}
}
