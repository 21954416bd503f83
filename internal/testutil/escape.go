package testutil

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// EscapingPaths are paths that lead to "secret", a file beside the root "in", by dots and by
// symbolic links.
var EscapingPaths = slices.Concat(EscapingDots, EscapingLinks)

// EscapingDots are those of EscapingPaths without symbolic links.
var EscapingDots = []string{
	"/", "//", "/etc/passwd", "/.", "/..",
	"..", "../", "../.", "../..", "../secret", ".././secret", "./../secret", "..//secret",
	"../in/file", "../in",
	"dir/../../secret", "dir/sub/../../../secret", "dir/./.././../secret", "dir//..//..//secret",
	"dir/sub/../../dir/../../secret",
	"file-is-not-looked-at/../../../secret",
}

// EscapingLinks are those of EscapingPaths with symbolic links.
var EscapingLinks = []string{
	"abs", "abs/", "absdir/secret", "absdir/in/file", "rootlink", "rootlink/etc/passwd",
	"procroot/etc/passwd",
	"up", "updir/secret", "updir/in/file", "dir/up", "dir/updir/secret", "dir/sub/up",
	"chain", "chaindir/secret", "dir/toin/../secret", "dir/toin/../../secret",
	"todir/../../secret", "tosub/../../../secret", "tosub/../..//../secret",
	"dot/dot/dot/../secret",
	"dotdot", "dotdot/secret", "dotdot/in/file", "dir/dotdotdot/secret", "todir/toin/../secret",
	"long", "slashy", "absself",
}

// BeneathRoot are names that look alike and lead to "file" inside.
var BeneathRoot = []string{
	"file", "./file", ".//file", "dir/../file", "dir/sub/../../file", "dir/.//sub/./../../file",
	"dir/sub/../../dir/sub/../../dir/sub/../../file",
}

// BeneathRootByLinks are such names with symbolic links.
var BeneathRootByLinks = []string{
	"todir/../file",
	"tosub/../../file", "dot/dot/dot/file", "dir/toin/file", "dir/tofile",
	"todir/toin/todir/toin/file", "inner",
}

// MakeEscapes makes a directory for these paths: in is the root, base the directory around it. It
// needs symbolic links.
func MakeEscapes(t testing.TB) (base, in string) {
	t.Helper()
	base = t.TempDir()
	in = filepath.Join(base, "in")
	MakeTree(t, base, "in/", "secret = outside", "outdir/", "outdir/victim = outside")
	MakeTree(t, in,
		"file = inside", "dir/", "dir/sub/", "file-is-not-looked-at/", "own = inside",
		"abs -> "+base+"/secret", "absdir -> "+base, "rootlink -> /", "procroot -> /proc/self/root",
		"up -> ../secret", "updir -> ..", "dir/up -> ../../secret", "dir/updir -> ../..",
		"dir/sub/up -> ../../../secret",
		"chain -> chain1", "chain1 -> dir/chain2", "dir/chain2 -> sub/chain3",
		"dir/sub/chain3 -> ../../../secret",
		"chaindir -> chaindir1", "chaindir1 -> dir/updir",
		"dir/toin -> ..", "dir/tofile -> ../file", "todir -> dir", "tosub -> dir/sub", "dot -> .",
		"dotdot -> ..", "dir/dotdotdot -> ../../", "long -> dir/sub/../../dir/sub/../../../secret",
		"slashy -> dir//..///..//secret", "absself -> "+in+"/file", "inner -> dir/sub/../tofile",
		"out -> ../outdir", "new -> ../planted", "newdir -> ../outdir/planted/",
	)
	return base, in
}

// MakeTree makes a tree: "x/" is a directory, "x -> y" a symbolic link, "x = y" a file with
// content, and "x" an empty file.
func MakeTree(t testing.TB, dir string, entries ...string) {
	t.Helper()
	for _, e := range entries {
		var err error
		if name, target, ok := strings.Cut(e, " -> "); ok {
			err = os.Symlink(target, filepath.Join(dir, name))
		} else if strings.HasSuffix(e, "/") {
			err = os.Mkdir(filepath.Join(dir, e), 0o777)
		} else {
			name, content, _ := strings.Cut(e, " = ")
			err = os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
