package wasi2

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

// TestPathErrors tries paths that lead nowhere or outside with each function that takes one.
func TestPathErrors(t *testing.T) {
	dir := fileTree(t)
	c, root := newFiles(t, dir, hostfs.ReadWrite)
	file := c.open(root, "file", "rw")
	// Symbolic links that the function follows to the end. link-at and the like do not.
	follow := map[string]string{
		"out": "not-permitted", "absolute": "not-permitted", "loop": "loop",
	}
	links := map[string]string{"out/x": "not-permitted", "loop/x": "loop"}
	always := map[string]string{
		"":                         "no-entry",
		"/":                        "not-permitted",
		"/etc/passwd":              "not-permitted",
		"..":                       "not-permitted",
		"../secret":                "not-permitted",
		"dir/../../secret":         "not-permitted",
		"missing/x":                "no-entry",
		"file/x":                   "not-directory",
		"nul\x00":                  "invalid",
		strings.Repeat("a", 300):   "name-too-long",
		strings.Repeat("a/", 4000): "name-too-long",
	}
	for name, call := range map[string]struct {
		args    func(dir uint64, path string) []any
		follows bool
	}{
		"open-at": {func(d uint64, p string) []any { return openArgs(d, 1, p, "r") }, true},
		"stat-at": {func(d uint64, p string) []any { return []any{d, 1, p} }, true},
		"metadata-hash-at": {func(d uint64, p string) []any {
			return []any{d, 1, p}
		}, true},
		"set-times-at": {func(d uint64, p string) []any {
			return []any{d, 1, p, 1, 0, 0, 1, 0, 0}
		}, true},
		"create-directory-at": {func(d uint64, p string) []any { return []any{d, p} }, false},
		"remove-directory-at": {func(d uint64, p string) []any { return []any{d, p} }, false},
		"unlink-file-at":      {func(d uint64, p string) []any { return []any{d, p} }, false},
		"readlink-at":         {func(d uint64, p string) []any { return []any{d, p} }, false},
		"symlink-at":          {func(d uint64, p string) []any { return []any{d, "x", p} }, false},
		"rename-at": {func(d uint64, p string) []any {
			return []any{d, p, root, "x"}
		}, false},
		"link-at": {func(d uint64, p string) []any {
			return []any{d, 0, p, root, "x"}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.TB = t
			for path, want := range always {
				got := c.call(descriptorMethod+name, call.args(root, path)...)
				if !strings.HasPrefix(got, "err(") ||
					path != "/" && path != ".." && got != "err("+want+")" {
					t.Errorf("%.20q: got %s, want %s", path, got, want)
				}
			}
			if call.follows {
				c.wants("err(no-entry)", descriptorMethod+name, call.args(root, "missing")...)
			}
			c.wants("err(not-directory)", descriptorMethod+name, call.args(file, "x")...)
			needs.Links(t, func(t *testing.T) {
				c.TB = t
				paths := maps.Clone(links)
				if call.follows {
					maps.Copy(paths, follow)
				}
				for path, want := range paths {
					c.wants("err("+want+")", descriptorMethod+name, call.args(root, path)...)
				}
			})
		})
	}
	c.TB = t
	if b, err := os.ReadFile(filepath.Join(dir, "../secret")); string(b) != "secret" {
		t.Errorf("got %q, %v, want the file outside as it was", b, err)
	}
}

// TestEscapingPaths tries the paths out of a directory that the tests of package hostfs have.
func TestEscapingPaths(t *testing.T) {
	base, in := testutil.MakeEscapes(t)
	c, root := newFiles(t, in, hostfs.ReadWrite)
	c.escapes(root, testutil.EscapingDots, testutil.BeneathRoot)
	needs.Links(t, func(t *testing.T) {
		c.TB = t
		c.escapes(root, testutil.EscapingLinks, testutil.BeneathRootByLinks)
	})
	if got, err := os.ReadFile(base + "/secret"); string(got) != "outside" {
		t.Errorf("got %q, %v, want the file outside as it was", got, err)
	}
}

// escapes wants errors of the paths that lead outside, and a file at those inside.
func (c *caller) escapes(root uint64, outside, inside []string) {
	c.Helper()
	for _, path := range outside {
		for name, args := range map[string][]any{
			"open-at":             openArgs(root, 1, path, "rw"),
			"stat-at":             {root, 1, path},
			"set-times-at":        {root, 1, path, 1, 0, 0, 1, 0, 0},
			"metadata-hash-at":    {root, 1, path},
			"create-directory-at": {root, path + "/x"},
			"remove-directory-at": {root, path + "/x"},
			"unlink-file-at":      {root, path + "/x"},
			"readlink-at":         {root, path + "/x"},
			"symlink-at":          {root, "file", path + "/x"},
			"rename-at":           {root, path + "/x", root, "got"},
			"link-at":             {root, 0, path + "/x", root, "got"},
		} {
			if got := c.call(descriptorMethod+name, args...); !strings.HasPrefix(got, "err(") {
				c.Errorf("%s of %q: got %s, want an error", name, path, got)
			}
		}
	}
	for _, path := range inside {
		file := c.open(root, path, "r")
		c.wants(`ok(("inside", false))`, descriptorMethod+"read", file, 100, 0)
		if err := c.drop("filesystem/types.descriptor", file); err != nil {
			c.Fatal(err)
		}
	}
}
