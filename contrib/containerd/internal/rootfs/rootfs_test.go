package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/testutil"
)

// secret is the content of files of the host that a hostile image tries to reach.
const secret = "a secret of the host"

// inNamespace runs a test in a mount namespace that it may spoil, with a /tmp of its own.
func inNamespace(t *testing.T, test func(*testing.T)) {
	testutil.InNamespaces(t, syscall.CLONE_NEWNS, nil, func(t *testing.T) {
		err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("tmpfs", "/tmp", "tmpfs", 0, ""))
		if err != nil {
			t.Fatal(err)
		}
		test(t)
	})
}

// makeDir makes a directory that ends with the namespace. A mount in it would keep t.TempDir from
// removing its own.
func makeDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// container is a container's root under test, beside a directory of the host.
type container struct {
	*testing.T
	root, host string
	readOnly   bool
}

func newContainer(t *testing.T) *container {
	c := &container{T: t, root: filepath.Join(makeDir(t), "root"), host: makeDir(t)}
	c.write(c.root, "etc/hosts", "10.0.0.1 pod\n")
	c.write(c.host, "secret", secret)
	return c
}

func (c *container) write(dir, name, text string) string {
	c.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.Fatal(err)
	}
	return path
}

// link makes a symbolic link in the container's root.
func (c *container) link(name, target string) {
	c.Helper()
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.Fatal(err)
	}
	os.Remove(path)
	if err := os.Symlink(target, path); err != nil {
		c.Fatal(err)
	}
}

func (c *container) spec(mounts ...specs.Mount) *specs.Spec {
	return &specs.Spec{Root: &specs.Root{Path: c.root, Readonly: c.readOnly}, Mounts: mounts}
}

// build builds the tree on top of the container's root, as in a bundle.
func (c *container) build(mounts ...specs.Mount) (*Tree, error) {
	return Build(c.root, c.spec(mounts...), nil)
}

func (c *container) mustBuild(mounts ...specs.Mount) *Tree {
	c.Helper()
	tree, err := c.build(mounts...)
	if err != nil {
		c.Fatal(err)
	}
	return tree
}

func bind(source, destination string, options ...string) specs.Mount {
	return specs.Mount{Type: "bind", Source: source, Destination: destination, Options: options}
}

func TestLinksStayInContainer(t *testing.T) {
	for _, target := range []string{"HOST/secret", "../../../../../../HOST/secret",
		"/proc/self/root/HOST/secret", "/proc/1/root/HOST/secret", "/../HOST/secret"} {
		t.Run(strings.ReplaceAll(target, "/", "_"), func(t *testing.T) {
			inNamespace(t, func(t *testing.T) {
				c := newContainer(t)
				c.link("module.wasm", strings.ReplaceAll(target, "HOST", c.host))
				tree := c.mustBuild()
				text, err := tree.ReadFile("/module.wasm", 1000)
				if err == nil {
					t.Errorf("got %q, want an error", text)
				}
				if tree.IsFile("/module.wasm") {
					t.Error("got a file, want none")
				}
			})
		})
	}
}

func TestReadsOnlyRegularFilesOfBoundedSize(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		c := newContainer(t)
		at := func(name string) string { return filepath.Join(c.root, name) }
		c.write(c.root, "small", "12345")
		c.write(c.root, "large", "")
		err := errors.Join(os.Truncate(at("large"), 1<<40), unix.Mkfifo(at("fifo"), 0o644),
			unix.Mkdir(at("dir"), 0o755))
		if err != nil {
			t.Fatal(err)
		}
		if os.Getuid() == 0 { // makes no difference in a user namespace, which has no devices
			unix.Mknod(at("zero"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5)))
		}
		tree := c.mustBuild()
		for _, name := range []string{"large", "fifo", "dir", "zero", "missing", "small/x"} {
			if text, err := tree.ReadFile(name, 4096); err == nil {
				t.Errorf("%s: got %d bytes, want an error", name, len(text))
			}
		}
		if text, err := tree.ReadFile("small", 5); err != nil || string(text) != "12345" {
			t.Errorf("got %q, %v, want 12345", text, err)
		}
		if text, err := tree.ReadFile("small", 4); err == nil {
			t.Errorf("got %q, want an error for a limit of 4", text)
		}
	})
}

func TestMountsStayInContainer(t *testing.T) {
	for _, row := range []struct{ name, link, destination string }{
		{"at a link", "data", "/data"},
		{"beneath a link", "data", "/data/sub/dir"},
		{"upwards", "data", "/data/../../../../data"},
	} {
		t.Run(row.name, func(t *testing.T) {
			inNamespace(t, func(t *testing.T) {
				c := newContainer(t)
				volume := makeDir(t)
				c.write(volume, "file", "of the volume")
				c.link(row.link, c.host)
				tree, err := c.build(bind(volume, row.destination))
				names, _ := os.ReadDir(c.host)
				if len(names) != 1 || names[0].Name() != "secret" {
					t.Errorf("got %v in the host's directory, want it unchanged", names)
				}
				if err != nil {
					return // the link leads nowhere in the container
				}
				text, err := tree.ReadFile(row.destination+"/file", 1000)
				if err != nil || string(text) != "of the volume" {
					t.Errorf("got %q, %v, want the volume's file", text, err)
				}
			})
		})
	}
}

func TestMounts(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		c := newContainer(t)
		volume := makeDir(t)
		c.write(volume, "file", "of the volume")
		hosts := c.write(c.host, "hosts", "10.0.0.2 other\n")
		c.readOnly = true
		tree := c.mustBuild(
			bind(volume, "/rw", "rbind", "rw"), bind(volume, "/ro", "rbind", "ro"),
			bind(volume, "/rw/inner", "bind"), bind(hosts, "/etc/hosts", "bind", "ro"),
			specs.Mount{Type: "tmpfs", Destination: "/tmp",
				Options: []string{"size=64k", "nosuid"}},
			specs.Mount{Type: "proc", Destination: "/proc"},
			specs.Mount{Type: "tmpfs", Destination: "/dev"})
		if err := tree.Pivot(); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]error{"/rootfs/rw/new": nil, "/rootfs/tmp/new": nil,
			"/rootfs/rw/inner/new": nil, "/rootfs/ro/new": syscall.EROFS,
			"/rootfs/new": syscall.EROFS, "/new": syscall.EROFS,
			"/rootfs/etc/hosts": syscall.EROFS, "/etc/hosts": syscall.EROFS} {
			if err := os.WriteFile(path, nil, 0o644); !errors.Is(err, want) {
				t.Errorf("write %s: got %v, want %v", path, err, want)
			}
		}
		if text, err := os.ReadFile("/etc/hosts"); string(text) != "10.0.0.2 other\n" {
			t.Errorf("got hosts %q, %v, want those that were mounted", text, err)
		}
		for _, path := range []string{"/rootfs/proc/self", "/rootfs/dev/null", "/proc", "/sys"} {
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: got %v, want it not to exist", path, err)
			}
		}
	})
}

// TestNothingOfTheHostIsLeft looks at the whole tree of a process after Pivot.
func TestNothingOfTheHostIsLeft(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		c := newContainer(t)
		c.write(c.root, "bin/set-user-id", "")
		if err := os.Chmod(filepath.Join(c.root, "bin/set-user-id"), 0o4755); err != nil {
			t.Fatal(err)
		}
		if err := c.mustBuild().Pivot(); err != nil {
			t.Fatal(err)
		}
		var got []string
		filepath.WalkDir("/", func(path string, _ fs.DirEntry, err error) error {
			got = append(got, path)
			return err
		})
		want := []string{"/", "/etc", "/etc/hosts", "/etc/resolv.conf", "/rootfs", "/rootfs/bin",
			"/rootfs/bin/set-user-id", "/rootfs/etc", "/rootfs/etc/hosts"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		var s unix.Statfs_t
		if err := unix.Statfs("/rootfs/bin", &s); err != nil {
			t.Fatal(err)
		}
		const flags = unix.ST_NOSUID | unix.ST_NODEV | unix.ST_NOEXEC
		if s.Flags&flags != flags {
			t.Errorf("got flags %#x of the root, want nosuid, nodev and noexec", s.Flags)
		}
	})
}

func TestWorkingDir(t *testing.T) {
	for _, row := range []struct{ name, cwd, want string }{
		{"root", "/", Guest}, {"missing", "/a/b", Guest + "/a/b"},
		{"link", "/link", Guest + "/etc"}, {"upwards", "/../../a", Guest + "/a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			inNamespace(t, func(t *testing.T) {
				c := newContainer(t)
				c.link("link", "/etc")
				got, err := c.mustBuild().WorkingDir(row.cwd)
				if err != nil || got != row.want {
					t.Errorf("got %q, %v, want %q", got, err, row.want)
				}
			})
		})
	}
}

func TestRefusedMounts(t *testing.T) {
	for _, m := range []specs.Mount{
		{Type: "ext4", Source: "/dev/sda1", Destination: "/data"},
		{Type: "overlay", Destination: "/data"}, {Type: "", Destination: "/data"},
		{Type: "bind", Source: "/missing", Destination: "/data"},
		{Type: "bind", Source: "/etc", Destination: "/"}, {Type: "tmpfs", Destination: "/.."},
		{Type: "bind", Source: "/etc", Destination: "/linkToRoot"},
	} {
		t.Run(fmt.Sprint("type ", m.Type, " at ", m.Destination), func(t *testing.T) {
			inNamespace(t, func(t *testing.T) {
				c := newContainer(t)
				c.link("linkToRoot", "../../x/..")
				c.link("x", "/etc")
				if _, err := c.build(m); err == nil {
					t.Errorf("got no error for %+v, want one", m)
				}
			})
		})
	}
}

func TestShorten(t *testing.T) {
	const base = "/var/lib/containerd/snapshots"
	dir, got := shorten([]string{"index=off", "workdir=" + base + "/9/work",
		"lowerdir=" + base + "/12/fs:" + base + "/1/fs:" + base + "/123/fs"})
	want := []string{"index=off", "workdir=" + base + "/9/work", "lowerdir=12/fs:1/fs:123/fs"}
	if dir != base || !slices.Equal(got, want) {
		t.Errorf("got %q, %q, want %q, %q", dir, got, base, want)
	}
}
