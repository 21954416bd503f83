package hostpath

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// inNamespace runs the test again in a mount namespace, and returns true there.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const inside = "HOSTPATH_NAMESPACE"
	if os.Getenv(inside) != "" {
		return true
	}
	if _, err := exec.LookPath("unshare"); err != nil {
		skip(t, "unshare is missing: apt-get install util-linux")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--mount", "--propagation", "private"}
	if os.Geteuid() != 0 {
		args = append(args, "--user", "--map-root-user")
	}
	if err := exec.Command("unshare", append(args, "true")...).Run(); err != nil {
		skip(t, "no mount namespaces: "+err.Error())
	}
	cmd := exec.Command("unshare", append(args, self, "-test.run", "^"+t.Name()+"$", "-test.v")...)
	cmd.Env = append(os.Environ(), inside+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("got %v, want the test to pass in its namespace\n%s", err, out)
	}
	return false
}

func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("WASPORT_CI") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func TestCheckThroughBindMounts(t *testing.T) {
	if !inNamespace(t) {
		return
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
