package rootfs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestResolverFilesAreThoseOfMounts has an image and a guest try to say what names stand for, which
// a policy judges.
func TestResolverFilesAreThoseOfMounts(t *testing.T) {
	for _, row := range []struct{ name, mounted, want string }{
		{"of the image", "", ""},
		{"mounted", "nameserver 10.96.0.10\n", "nameserver 10.96.0.10\n"},
		{"too large", strings.Repeat("#", maxNetwork+1), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			inNamespace(t, func(t *testing.T) {
				c := newContainer(t)
				c.write(c.root, "etc/resolv.conf", "nameserver 192.0.2.1\n")
				var mounts []specs.Mount
				if row.mounted != "" {
					source := c.write(c.host, "resolv.conf", row.mounted)
					mounts = append(mounts, bind(source, "/etc/resolv.conf", "rbind", "rw"))
				}
				tree := c.mustBuild(mounts...)
				if got := tree.Resolver(); got != row.want {
					t.Errorf("got %.40q, want %.40q", got, row.want)
				}
				if err := tree.Pivot(); err != nil {
					t.Fatal(err)
				}
				text, err := os.ReadFile(resolvConf)
				if err != nil || string(text) != row.want {
					t.Errorf("got %.40q, %v for the resolver, want %.40q", text, err, row.want)
				}
				err = os.WriteFile(Guest+resolvConf, []byte("nameserver 192.0.2.1\n"), 0)
				if row.mounted != "" && !errors.Is(err, syscall.EROFS) {
					t.Errorf("got %v from a write of the guest, want EROFS", err)
				}
			})
		})
	}
}

// A FIFO that is mounted as a file of the resolver keeps nobody waiting.
func TestResolverFileIsFIFO(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		c := newContainer(t)
		fifo := filepath.Join(c.host, "fifo")
		if err := unix.Mkfifo(fifo, 0o644); err != nil {
			t.Fatal(err)
		}
		tree := c.mustBuild(bind(fifo, hosts))
		text, err := os.ReadFile(filepath.Join(c.root, hosts))
		if err != nil || len(text) > 0 {
			t.Errorf("got hosts %q, %v, want an empty file", text, err)
		}
		tree.Close()
	})
}

// TestReadFixed reads files that a guest could, and could not, change for the next container.
func TestReadFixed(t *testing.T) {
	for _, row := range []struct {
		name, path string
		readOnly   bool
		fixed      bool
	}{
		{"root", "/etc/hosts", false, false},
		{"root that is read-only", "/etc/hosts", true, true},
		{"volume", "/rw/policy", false, false},
		{"volume in a root that is read-only", "/rw/policy", true, false},
		{"volume that is read-only", "/ro/policy", false, true},
		{"link to a volume", "/link", true, false},
		{"link to a volume that is read-only", "/rw/link", false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			inNamespace(t, func(t *testing.T) {
				c := newContainer(t)
				c.readOnly = row.readOnly
				volume := makeDir(t)
				c.write(volume, "policy", "")
				c.link("link", "/rw/policy")
				if err := os.Symlink("../ro/policy", volume+"/link"); err != nil {
					t.Fatal(err)
				}
				tree := c.mustBuild(bind(volume, "/rw"), bind(volume, "/ro", "rbind", "ro"))
				if _, err := tree.ReadFixed(row.path, 1000); (err == nil) != row.fixed {
					t.Errorf("got %v, want fixed = %v", err, row.fixed)
				}
			})
		})
	}
}
