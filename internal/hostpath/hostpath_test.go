//go:build unix

package hostpath

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCheckThroughLinksAndDots(t *testing.T) {
	top := t.TempDir()
	at := func(name string) string { return filepath.Join(top, name) }
	for _, dir := range []string{"data/inner", "beside", "real"} {
		if err := os.MkdirAll(at(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{
		"data/file", "data/inner/file", "beside/file", "beside/linked", "beside/twice",
	} {
		if err := os.WriteFile(at(file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"alias":        "data",
		"data/out":     "../beside/file",
		"in":           at("data/file"),
		"through":      "data/inner/../../beside",
		"around":       "beside/../real/..",
		"loop":         "loop",
		"data/dirlink": at("beside"),
	} {
		if err := os.Symlink(to, at(link)); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{
		"beside/linked": "data/inner/other", "beside/twice": "real/twice",
	} {
		if err := os.Link(at(from), at(to)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		dir, path string
		within    bool
	}{
		{"data", "data/file", true},
		{"data", "data/inner/file", true},
		{"data", "data/nothing", true},
		{"data", "data/nowhere/nothing", true},
		{"data", "data", true},
		{"data", "beside/file", false},
		{"data", "beside/nothing", false},
		{"data", "nowhere/nothing", false},
		{"data", "alias/file", true},
		{"alias", "data/file", true},
		{"data", "in", true},
		{"data", "data/out", true},          // The guest can replace the link.
		{"data", "data/dirlink/file", true}, // The guest can replace a link on the way.
		{"data", "through/file", true},
		{"data", "around/beside/file", false},
		{"data/inner", "data/file", false},
		{"data/inner", "data/inner/../file", true}, // "inner" can be removed.
		{"data", "beside/linked", true},            // a hard link
		{"data/inner", "beside/linked", true},
		{"data", "beside/twice", false},
		{".", "beside/file", true},
	} {
		t.Run(test.dir+" and "+test.path, func(t *testing.T) {
			dirs, err := New([]string{at(test.dir)})
			if err != nil {
				t.Fatal(err)
			}
			var e *Error
			path := top + "/" + test.path // uncleaned
			if err := dirs.Check(path); errors.As(err, &e) != test.within {
				t.Errorf("got %v, want it refused: %v", err, test.within)
			}
		})
	}
	dirs, err := New([]string{at("data")})
	if err != nil {
		t.Fatal(err)
	}
	if err := dirs.Check(at("loop")); err == nil {
		t.Error("got no error for a link to itself, want one")
	}
}

func TestCheckDirAroundGuestDirs(t *testing.T) {
	top := t.TempDir()
	cache := filepath.Join(top, "cache")
	inner := filepath.Join(cache, "a", "b")
	if err := os.MkdirAll(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	for dir, within := range map[string]bool{top: true, cache: true, inner: true,
		t.TempDir(): false} {
		dirs, err := New([]string{dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := dirs.CheckDir(cache); (err != nil) != within {
			t.Errorf("%s: got %v, want it refused: %v", dir, err, within)
		}
	}
}

func TestOpenFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	for name, flag := range map[string]int{"create": os.O_WRONLY | os.O_CREATE,
		"read": os.O_RDONLY} {
		t.Run(name, func(t *testing.T) {
			if f, err := Open(link, flag, 0o600); err != errLink {
				f.Close()
				t.Errorf("got %v, want %v", err, errLink)
			}
		})
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("got the target created or opened, want the link refused")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	own := fmt.Sprintf("/dev/fd/%d", w.Fd())
	if _, err := Open(own, os.O_WRONLY, 0); err != syscall.EBADF {
		t.Errorf("got %v for a descriptor that is closed on exec, want %v", err, syscall.EBADF)
	}
	unix.FcntlInt(w.Fd(), unix.F_SETFD, 0) // as one that was inherited
	f, err := Open(own, os.O_WRONLY, 0)
	if err != nil {
		t.Fatalf("got %v, want a descriptor of this process by its number", err)
	}
	f.Close()
}
