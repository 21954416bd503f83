package task

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/testutil"
)

// secret is the content of a file of the host that a pod tries to reach.
const secret = "a secret of the host"

// TestHostileImages is a table of attempts to get something of the node by an image or a pod. Each
// is refused before a guest runs, with a reason, and leaves nothing behind.
func TestHostileImages(t *testing.T) {
	host := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(host, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	module := func(s *shim) string { return filepath.Join(s.root, "guest.wasm") }
	replace := func(f func(path string) error) func(*shim) {
		return func(s *shim) {
			if err := errors.Join(os.Remove(module(s)), f(module(s))); err != nil {
				s.Fatal(err)
			}
		}
	}
	annotate := func(key, value string) func(*shim) {
		return func(s *shim) { s.spec.Annotations[key] = value }
	}
	for _, row := range []struct {
		name   string
		change func(*shim)
		want   string
	}{
		{"module is a link to the host", replace(func(path string) error {
			return os.Symlink(host, path)
		}), "no module"},
		{"module is a link upwards", replace(func(path string) error {
			return os.Symlink(strings.Repeat("../", 20)+host, path)
		}), "no module"},
		{"module is a link through /proc", replace(func(path string) error {
			return os.Symlink("/proc/self/exe", path)
		}), "no module"},
		{"module is a FIFO", replace(func(path string) error {
			return unix.Mkfifo(path, 0o666)
		}), "no regular file"},
		{"module is a directory", replace(func(path string) error {
			return os.Mkdir(path, 0o755)
		}), "no regular file"},
		{"module is a device", replace(func(path string) error {
			return unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5)))
		}), "no regular file"},
		{"module is a terabyte", replace(func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 1<<40))
		}), "larger than"},
		{"module is a program", replace(func(path string) error {
			return os.WriteFile(path, []byte("\x7fELF"), 0o755)
		}), "module"},
		{"module by dots", func(s *shim) {
			s.spec.Process.Args[0] = strings.Repeat("../", 20) + host + ".wasm"
		}, "no module"},
		{"working directory is a link to nowhere", func(s *shim) {
			os.Symlink("/missing/dir", filepath.Join(s.root, "link"))
			s.spec.Process.Cwd = "/link/dir"
		}, "working directory"},
		{"policy is a link to the host", func(s *shim) {
			os.Symlink(host, filepath.Join(s.root, "policy"))
			s.spec.Annotations["wasport.dev/policy-file"] = "/policy"
		}, "no such file"},
		{"policy by dots", annotate("wasport.dev/policy-file", "../../.."+host), "no such file"},
		{"policy is huge", annotate("wasport.dev/policy", strings.Repeat("#", 2<<20)),
			"larger than"},
		{"policy is no policy", annotate("wasport.dev/policy", `ceiling = "none"`), "ceiling"},
		{"policy names a range that is not there",
			annotate("wasport.dev/policy", `allow = ["connect @node"]`), "no range @node"},
		{"a user namespace", func(s *shim) {
			s.spec.Linux.Namespaces = append(s.spec.Linux.Namespaces,
				specs.LinuxNamespace{Type: specs.UserNamespace})
		}, "hostUsers"},
		{"a file system of the kernel's", func(s *shim) {
			s.spec.Mounts = []specs.Mount{{Type: "debugfs", Destination: "/debug"}}
		}, "not supported"},
		{"the root cgroup", func(s *shim) { s.spec.Linux.CgroupsPath = "/../.." }, "root"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newShim(t, modules+"show.wasm")
			row.change(s)
			err := s.create()
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("got the host's secret in %v, want it nowhere", err)
			}
			left, _ := filepath.Glob("/sys/fs/cgroup/*/wasport-test/" + s.id)
			if len(left) > 0 {
				t.Errorf("got cgroups %q left, want none", left)
			}
			if got := s.events.list(); len(got) > 0 {
				t.Errorf("got events %q, want none", got)
			}
		})
	}
}

// TestHostileGuest has a guest try each way out of its root.
func TestHostileGuest(t *testing.T) {
	base, in := testutil.MakeEscapes(t)
	paths := testutil.EscapingPaths
	s := newShim(t, "internal/guests/escape.wasm", paths...)
	wasm, err := os.ReadFile(filepath.Join(s.root, "guest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, "guest.wasm"), wasm, 0o644); err != nil {
		t.Fatal(err)
	}
	s.spec.Root.Path = in
	out, errs, _ := s.run()
	if got := strings.Count(out, "open "); got < len(paths) {
		t.Fatalf("got %d attempts in %q, %q, want %d", got, out, errs, len(paths))
	}
	for _, bad := range []string{"outside", "root:x:"} {
		if strings.Contains(out, bad) {
			t.Errorf("got %q in\n%s\nwant it out of reach", bad, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(base, "secret"))
	if err != nil || string(text) != "outside" {
		t.Errorf("got %q, %v, want the file unchanged", text, err)
	}
}

// TestImagesUser runs a guest as a user that may not read a file of root's, and not write to its
// directory.
func TestImagesUser(t *testing.T) {
	for _, row := range []struct {
		name string
		uid  uint32
		caps []string
		want uint32 // the errno of WASI
	}{
		{"root", 0, []string{"CAP_DAC_OVERRIDE"}, 0},
		{"root without capabilities", 0, nil, 2},
		{"another user", 1234, []string{"CAP_DAC_OVERRIDE"}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newShim(t, modules+"files.wasm")
			s.write("rootfs/in", "of root")
			if err := errors.Join(os.Chown(filepath.Join(s.root, "in"), 99, 99),
				os.Chmod(filepath.Join(s.root, "in"), 0o600)); err != nil {
				t.Fatal(err)
			}
			s.spec.Process.User = specs.User{UID: row.uid, GID: row.uid}
			s.spec.Process.Capabilities = &specs.LinuxCapabilities{Effective: row.caps}
			if out, errs, got := s.run(); got != row.want {
				t.Errorf("got %q, %q and status %d, want %d", out, errs, got, row.want)
			}
		})
	}
}

// TestProcessHasNothingOfTheNode looks at a container's process from outside.
func TestProcessHasNothingOfTheNode(t *testing.T) {
	s := newShim(t, waiting)
	volume := t.TempDir()
	s.spec.Mounts = []specs.Mount{
		{Type: "bind", Source: volume, Destination: "/data", Options: []string{"rbind", "ro"}}}
	s.start()
	s.readLine()
	r, err := s.State(t.Context(), &api.StateRequest{ID: s.id})
	if err != nil {
		t.Fatal(err)
	}
	proc := "/proc/" + strconv.Itoa(int(r.Pid))
	names, err := os.ReadDir(proc + "/root")
	if err != nil || len(names) != 2 {
		t.Errorf("got %v, %v at its root, want etc and rootfs", names, err)
	}
	mounts, err := os.ReadFile(proc + "/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var points []string
	for line := range strings.Lines(string(mounts)) {
		points = append(points, strings.Fields(line)[4])
	}
	slices.Sort(points)
	if want := []string{"/", "/rootfs", "/rootfs/data"}; !slices.Equal(points, want) {
		t.Errorf("got mounts at %q, want %q", points, want)
	}
	for _, namespace := range []string{"mnt", "net", "pid", "ipc", "uts"} {
		theirs, err := os.Readlink(proc + "/ns/" + namespace)
		ours, _ := os.Readlink("/proc/self/ns/" + namespace)
		if err != nil || theirs == ours {
			t.Errorf("%s: got %q, %v, want a namespace of its own", namespace, theirs, err)
		}
	}
	environ, err := os.ReadFile(proc + "/environ")
	if err != nil || strings.Contains(string(environ), "PATH=") {
		t.Errorf("got the environment %q, %v, want nothing of the shim's", environ, err)
	}
	files, err := filepath.Glob(proc + "/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		target, _ := os.Readlink(name)
		if err == nil && info.IsDir() && !strings.HasPrefix(target, "/rootfs") {
			t.Errorf("got the directory %s open, want none of the host's", target)
		}
	}
	if _, err := os.Stat(filepath.Join(s.root, "data", "x")); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("got %v, want the mount to be the container's alone", err)
	}
}
