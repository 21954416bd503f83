package hostfs

import (
	"errors"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

func TestEscapingPaths(t *testing.T) {
	checkEscaping(t, testutil.EscapingDots)
	needs.Links(t, func(t *testing.T) { checkEscaping(t, testutil.EscapingLinks) })
}

func checkEscaping(t *testing.T, paths []string) {
	eachResolver(t, func(t *testing.T, walk bool) {
		base, in := testutil.MakeEscapes(t)
		d := openRoot(t, in, ReadWrite, walk)
		before := describeTree(t, base)
		for _, path := range paths {
			for name, err := range escapeAttempts(d, path) {
				// A trailing slash alone is an error when a file is created.
				slash := err == syscall.EISDIR && name == "create" && hasTrailingSlash(path)
				if err != ErrEscapes && !slash {
					t.Errorf("%s %q: got %v, want %v", name, path, err, ErrEscapes)
				}
			}
		}
		if after := describeTree(t, base); after != before {
			t.Errorf("got the tree\n%s\nwant it unchanged\n%s", after, before)
		}
	})
}

// escapeAttempts tries every operation with a path that leads out of the root.
func escapeAttempts(d Dir, path string) map[string]error {
	create := OpenOptions{Read: true, Write: true, Create: true, Follow: true}
	return map[string]error{
		"open":      tryOpen(d, path, OpenOptions{Follow: true}),
		"directory": tryOpen(d, path, OpenOptions{Follow: true, Directory: true}),
		"create":    tryOpen(d, path, create),
		"truncate":  tryOpen(d, path, OpenOptions{Follow: true, Truncate: true}),
		"stat":      errOf(d.Stat(path, true)),
		"times":     d.SetTimes(path, true, Times{Mtime: 1, Set: MtimeGiven}),
		"readlink":  errOf(d.Readlink(path+"/x", make([]byte, 100))),
		"mkdir":     d.Mkdir(path + "/x"),
		"rmdir":     d.Rmdir(path + "/x"),
		"unlink":    d.Unlink(path + "/x"),
		"symlink":   d.Symlink("file", path+"/x"),
		"from":      Rename(d, path+"/x", d, "got"),
		"to":        Rename(d, "own", d, path+"/x"),
		"link":      Link(d, path, true, d, "got"),
		"link to":   Link(d, "own", false, d, path+"/x"),
	}
}

func TestPathsBeneathRoot(t *testing.T) {
	checkBeneath(t, testutil.BeneathRoot)
	needs.Links(t, func(t *testing.T) { checkBeneath(t, testutil.BeneathRootByLinks) })
}

func checkBeneath(t *testing.T, paths []string) {
	eachResolver(t, func(t *testing.T, walk bool) {
		_, in := testutil.MakeEscapes(t)
		d := openRoot(t, in, ReadWrite, walk)
		for _, path := range paths {
			if got, err := readFile(d, path); got != "inside" {
				t.Errorf("%q: got %q, %v; want \"inside\"", path, got, err)
			}
			if st, err := d.Stat(path, true); err != nil || st.Type != RegularFile || st.Size != 6 {
				t.Errorf("%q: got %+v, %v; want a file of 6 bytes", path, st, err)
			}
		}
	})
}

// Each operation meets links that lead out of the root.
func TestEscapesByOperation(t *testing.T) {
	needs.Links(t, checkEscapesByOperation)
}

func checkEscapesByOperation(t *testing.T) {
	eachResolver(t, func(t *testing.T, walk bool) {
		base, in := testutil.MakeEscapes(t)
		d := openRoot(t, in, ReadWrite, walk)
		_, sub, err := d.Open("dir/sub", OpenOptions{Directory: true})
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		before := describeTree(t, base)
		create := OpenOptions{Write: true, Create: true, Follow: true}
		for name, err := range map[string]error{
			"create through a dangling link":    tryOpen(d, "new", create),
			"create through a linked directory": tryOpen(d, "out/planted", create),
			"truncate through a linked directory": tryOpen(d, "out/victim",
				OpenOptions{Write: true, Truncate: true}),
			"mkdir in a linked directory":       d.Mkdir("out/planted"),
			"mkdir through a link with a slash": escapeOrExist(d.Mkdir("newdir/")),
			"rmdir of the linked directory":     d.Rmdir("dotdot/outdir"),
			"rmdir with dots":                   d.Rmdir("dir/../../outdir"),
			"unlink in a linked directory":      d.Unlink("out/victim"),
			"rename into":                       Rename(d, "own", d, "out/stolen"),
			"rename into by dots":               Rename(d, "own", d, "../stolen"),
			"rename over":                       Rename(d, "own", d, "out/victim"),
			"rename out of":                     Rename(d, "out/victim", d, "got"),
			"rename to an absolute path":        Rename(d, "own", d, base+"/stolen"),
			"link into":                         Link(d, "own", false, d, "out/planted"),
			"link out of":                       Link(d, "out/victim", false, d, "got"),
			"link to what a link leads to":      Link(d, "up", true, d, "got"),
			"symlink in a linked directory":     d.Symlink("x", "out/planted"),
			"symlink to an absolute path":       d.Symlink("/etc/passwd", "got"),
			"symlink to the root":               d.Symlink("/", "got"),
			"readlink in a linked directory": errOf(d.Readlink("dotdot/in/up",
				make([]byte, 10))),
			"stat with a slash":                  errOf(d.Stat("out/", false)),
			"times with a slash":                 d.SetTimes("out/", false, Times{Set: MtimeNow}),
			"open with a slash":                  tryOpen(d, "out/", OpenOptions{}),
			"up from an opened dir":              tryOpen(sub, "../..", OpenOptions{}),
			"aside from an opened dir":           tryOpen(sub, "../../file", OpenOptions{}),
			"out of an opened dir":               tryOpen(sub, "../../../secret", OpenOptions{}),
			"link up from an opened dir":         tryOpen(sub, "up", OpenOptions{Follow: true}),
			"rename from an opened dir":          Rename(sub, "../../own", d, "got"),
			"rename to above an opened dir":      Rename(d, "own", sub, "../got"),
			"absolute, from an opened dir":       tryOpen(sub, in+"/dir/sub", OpenOptions{}),
			"stat above an opened dir":           errOf(sub.Stat("..", false)),
			"unlink above an opened dir":         sub.Unlink("../../own"),
			"make above an opened dir":           sub.Mkdir("../made"),
			"create above an opened dir":         tryOpen(sub, "../made", create),
			"readlink above an opened dir":       errOf(sub.Readlink("../up", make([]byte, 10))),
			"set times above an opened dir":      sub.SetTimes("..", true, Times{Set: MtimeNow}),
			"link from above an opened dir":      Link(sub, "../../own", false, d, "got"),
			"rmdir above an opened dir":          sub.Rmdir("../../file-is-not-looked-at"),
			"symlink above an opened dir":        sub.Symlink("x", "../made"),
			"rename within, above an opened dir": Rename(sub, "../up", sub, "x"),
			"exclusive creation beside the root": tryOpen(d, "../made",
				OpenOptions{Create: true, Exclusive: true}),
			"exclusive creation in a linked dir": tryOpen(d, "out/made",
				OpenOptions{Create: true, Exclusive: true}),
			"nothing left after dots and slashes": tryOpen(d, "dir/..//../", OpenOptions{}),
			"a directory wanted where a link ends": tryOpen(d, "out",
				OpenOptions{Directory: true, Follow: true}),
		} {
			if !errors.Is(err, ErrEscapes) {
				t.Errorf("%s: got %v, want %v", name, err, ErrEscapes)
			}
		}
		if after := describeTree(t, base); after != before {
			t.Errorf("got the tree\n%s\nwant it unchanged\n%s", after, before)
		}
	})
}

// escapeOrExist accepts EEXIST, since a symbolic link with a trailing slash exists.
func escapeOrExist(err error) error {
	if err == syscall.EEXIST {
		return ErrEscapes
	}
	return err
}

func errOf[T any](_ T, err error) error {
	return err
}

func TestSymlinkLoops(t *testing.T) { needs.Links(t, checkLoops) }

func checkLoops(t *testing.T) {
	eachResolver(t, func(t *testing.T, walk bool) {
		dir := t.TempDir()
		testutil.MakeTree(t, dir, "self -> self", "a -> b", "b -> a", "d/", "d/e -> ../d/e/x",
			"grow -> grow/x",
			"up -> d/../up",
			"deep/", "f")
		testutil.MakeTree(t, dir, "l00 -> f")
		for i := 1; i <= 41; i++ {
			testutil.MakeTree(t, dir, "l"+itoa(i)+" -> l"+itoa(i-1))
		}
		d := openRoot(t, dir, ReadWrite, walk)
		for _, path := range []string{"self", "a", "b", "d/e", "grow", "up", "self/x", "a/x/y",
			"grow/x", "up/x", "l41", "self/"} {
			for name, err := range map[string]error{
				"open":   tryOpen(d, path, OpenOptions{Follow: true}),
				"create": tryOpen(d, path+"/x", OpenOptions{Create: true}),
				"stat":   errOf(d.Stat(path, true)),
				"times":  d.SetTimes(path, true, Times{Set: MtimeNow}),
				"mkdir":  d.Mkdir(path + "/y"),
				"link":   Link(d, path, true, d, "got"),
			} {
				if err != syscall.ELOOP && !(path == "l41" && err == syscall.ENOTDIR) {
					t.Errorf("%s %q: got %v, want %v", name, path, err, syscall.ELOOP)
				}
			}
		}
		if err := tryOpen(d, "l39", OpenOptions{Follow: true}); err != nil {
			t.Errorf("40 links: got %v, want no error", err)
		}
	})
}

func itoa(i int) string {
	return string([]byte{byte('0' + i/10), byte('0' + i%10)})
}
