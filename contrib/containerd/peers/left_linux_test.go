package peers

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// mountsBelow returns the mount points below a directory, the inner ones first.
func mountsBelow(t testing.TB, dir string) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if at := strings.Fields(line)[4]; strings.HasPrefix(at, dir+"/") {
			found = append(found, at)
		}
	}
	slices.Reverse(found)
	return found
}

// shims returns the processes of the shim, with their command lines.
func shims(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range names {
		text, err := os.ReadFile(name) // empty if it is a zombie
		if err == nil && bytes.Contains(text, []byte("containerd-shim-")) {
			found = append(found, name+" "+string(bytes.ReplaceAll(text, []byte{0}, []byte{' '})))
		}
	}
	return found
}

// cgroups returns the control groups of the tests' containers in all hierarchies.
func cgroups(t testing.TB) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"/sys/fs/cgroup/*/", "/sys/fs/cgroup/"} {
		list, err := filepath.Glob(pattern + namespace + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range list {
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				found = append(found, path)
			}
		}
	}
	return found
}

// special returns names below the directories of a node and of shims, but those of files and
// directories.
func special(t testing.TB, dirs ...string) []string {
	t.Helper()
	var found []string
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type()&(fs.ModeNamedPipe|fs.ModeSocket) != 0 {
				found = append(found, path)
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// A census counts the things of the system that containers of a node have.
type census struct{ processes, mounts, cgroups, special []string }

func (n *node) census() census {
	n.Helper()
	return census{
		processes: shims(n),
		mounts:    mountsBelow(n, n.path("state")),
		cgroups:   cgroups(n),
		special:   special(n, n.dir, "/run/containerd"),
	}
}

// nothingLeft checks that the node is as it was before its containers.
func (n *node) nothingLeft(before census) {
	n.Helper()
	n.until("nothing is left of the containers", func() error {
		after := n.census()
		var left []error
		for _, part := range []struct {
			name          string
			before, after []string
		}{
			{"processes", before.processes, after.processes},
			{"mounts", before.mounts, after.mounts},
			{"cgroups", before.cgroups, after.cgroups},
			{"fifos and sockets", before.special, after.special},
		} {
			more := slices.DeleteFunc(part.after, func(s string) bool {
				return slices.Contains(part.before, s)
			})
			if len(more) > 0 {
				left = append(left, fmt.Errorf("%s %q", part.name, more))
			}
		}
		return errors.Join(left...)
	})
}

// removeCgroups removes those that a failed test has left, and the cgroup above.
func removeCgroups(t testing.TB) {
	t.Helper()
	for _, path := range cgroups(t) {
		unix.Rmdir(path)
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*/", "/sys/fs/cgroup/"} {
		above, err := filepath.Glob(pattern + namespace)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range above {
			unix.Rmdir(path)
		}
	}
}
