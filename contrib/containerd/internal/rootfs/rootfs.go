// Package rootfs builds the tree of files that a container's process has, in a mount namespace of
// its own, and moves the process into it.
//
// The image and the volumes are hostile: a symbolic link in them may lead anywhere. So each path is
// resolved by the kernel with the container's root as the root (openat2(2), RESOLVE_IN_ROOT), a
// mount goes onto a descriptor, never onto a path, and no device, set-user-ID bit or FIFO of the
// image works. The process's own root is an empty tmpfs with the container's root at /rootfs beside
// it, so that names which Go's resolver reads (/etc/resolv.conf, /etc/hosts) are files written
// here. Their bytes are those of the mounts with these names, never of the image, and the guest
// cannot change them: the policy judges names, and these files give a name its meaning.
//
// Belongs here: mounts and paths. Does not: programs that run in the tree. It needs Linux 5.12
// (mount_setattr(2)). The functions are for a process that does nothing else meanwhile; a Tree is
// not safe for concurrent use.
package rootfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Guest is the container's root after Pivot.
const Guest = "/rootfs"

// Mount is a mount of containerd's, as a snapshotter describes it.
type Mount struct {
	Type, Source, Target string
	Options              []string
}

// Tree is a container's tree before the process has moved into it.
type Tree struct {
	// staging is the directory that becomes the process's root.
	staging string
	// root is the container's root.
	root *os.File
	// readOnly is true if Pivot makes the root read-only.
	readOnly bool
	// network has the files of the resolver.
	network map[string][]byte
}

// Build makes the tree at the directory staging. The process must have a mount namespace of its
// own.
func Build(staging string, spec *specs.Spec, mounts []Mount) (*Tree, error) {
	// Mounts made here must not show outside. Those of the host in shared volumes show here.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return nil, fmt.Errorf("separate the mounts of the container: %w", err)
	}
	var given *os.File
	if len(mounts) == 0 {
		var err error
		if given, err = cloneTree(spec.Root.Path, true); err != nil {
			return nil, fmt.Errorf("root of the container: %w", err)
		}
		defer given.Close()
	}
	t := &Tree{staging: staging, readOnly: spec.Root.Readonly,
		network: map[string][]byte{resolvConf: nil, hosts: nil}}
	if err := t.mountStaging(); err != nil {
		return nil, err
	}
	if err := t.mountRoot(given, mounts); err != nil {
		return nil, err
	}
	for _, m := range spec.Mounts {
		if err := t.mount(m); err != nil {
			t.Close()
			return nil, fmt.Errorf("mount at %q: %w", m.Destination, err)
		}
	}
	if err := t.writeNetwork(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Close releases the tree's descriptor.
func (t *Tree) Close() error { return t.root.Close() }

// mountStaging mounts the empty root.
func (t *Tree) mountStaging() error {
	mount, err := newTmpfs(map[string]string{"mode": "0755", "size": "4m"})
	if err != nil {
		return err
	}
	defer mount.Close()
	at, err := os.OpenFile(t.staging, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer at.Close()
	if err := attach(mount, at); err != nil {
		return err
	}
	for _, dir := range []string{Guest, "/etc"} {
		if err := os.Mkdir(t.staging+dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// mountRoot mounts the container's root: the tree given, or else the mounts of a snapshotter.
func (t *Tree) mountRoot(given *os.File, mounts []Mount) error {
	at := t.staging + Guest
	if given != nil {
		dir, err := os.OpenFile(at, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		defer dir.Close()
		if err := attach(given, dir); err != nil {
			return err
		}
	}
	for _, m := range mounts {
		if err := mountSnapshot(m, at); err != nil {
			return fmt.Errorf("root of the container, %s of %s: %w", m.Type, m.Source, err)
		}
	}
	root, err := os.OpenFile(at, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	t.root = root
	return restrict(root, 0)
}

// WorkingDir makes a directory of the container if it is missing, as runc does for the working
// directory, and returns its path after Pivot, without symbolic links.
func (t *Tree) WorkingDir(path string) (string, error) {
	dir, err := t.ensure(path, true)
	if err != nil {
		return "", fmt.Errorf("working directory %q: %w", path, err)
	}
	defer dir.Close()
	resolved, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", dir.Fd()))
	if err != nil {
		return "", err
	}
	staging, err := filepath.EvalSymlinks(t.staging)
	if err != nil {
		return "", err
	}
	beneath, ok := strings.CutPrefix(resolved, staging)
	if !ok || beneath != Guest && !strings.HasPrefix(beneath, Guest+"/") {
		return "", fmt.Errorf("working directory %q is not in the container", path)
	}
	return beneath, nil
}

// Pivot makes the tree the root of the whole process and lets go of every other mount. The
// container's root itself becomes read-only if the specification says so; volumes have their own
// modes.
func (t *Tree) Pivot() error {
	if t.readOnly {
		if err := setAttr(t.root, unix.MOUNT_ATTR_RDONLY, 0, 0); err != nil {
			return err
		}
	}
	t.root.Close()
	if err := unix.Chdir(t.staging); err != nil {
		return err
	}
	// The old root lands on top of the new one and is taken off (pivot_root(2), NOTES).
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("enter the container's root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the host's root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	root, err := os.OpenFile("/", unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer root.Close()
	return setAttr(root, unix.MOUNT_ATTR_RDONLY, 0, 0)
}
