package hostpath

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasport/wasport/internal/testutil"

	"golang.org/x/sys/unix"
)

func TestCheckThroughBindMounts(t *testing.T) {
	testutil.InNamespaces(t, unix.CLONE_NEWNS, nil, checkBindMounts)
}

func checkBindMounts(t *testing.T) {
	// Mounts would otherwise propagate to the host (mount_namespaces(7)).
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	top := t.TempDir()
	at := func(name string) string { return filepath.Join(top, name) }
	for _, dir := range []string{
		"data/inner", "mount", "host/conf", "plain", "outer/point with blank",
	} {
		if err := os.MkdirAll(at(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{
		"data/file", "data/inner/file", "host/conf/file", "host/file", "plain/file", "outer/target",
	} {
		if err := os.WriteFile(at(file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{
		"data": "mount", "host/conf": "outer/point with blank", "host/file": "outer/target",
	} {
		if err := unix.Mount(at(from), at(to), "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Unmount(at(to), unix.MNT_DETACH) })
	}
	for _, test := range []struct {
		dir, path string
		within    bool
	}{
		{"mount", "data/file", true}, // The directory has two mount points.
		{"mount", "data/inner/file", true},
		{"data", "mount/inner/file", true},
		{"data/inner", "mount/inner/file", true},
		{"data/inner", "mount/file", false},
		{"outer", "host/conf/file", true}, // The parent of the file is mounted in the directory.
		{"outer", "host/file", true},      // The file itself is mounted there.
		{"outer", "plain/file", false},
		{"plain", "host/conf/file", false},
	} {
		t.Run(test.dir+" and "+test.path, func(t *testing.T) {
			dirs, err := New([]string{at(test.dir)})
			if err != nil {
				t.Fatal(err)
			}
			var e *Error
			if err := dirs.Check(at(test.path)); errors.As(err, &e) != test.within {
				t.Errorf("got %v, want it refused: %v", err, test.within)
			}
		})
	}
}
