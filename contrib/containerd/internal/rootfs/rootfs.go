// Package rootfs builds the tree of files that a container's process has, in a mount namespace of
// its own, and moves the process into it.
//
// The image and the volumes are hostile: a symbolic link in them may lead anywhere. So each path is
// resolved by the kernel with the container's root as the root (openat2(2), RESOLVE_IN_ROOT), a
// mount goes onto a descriptor, never onto a path, and no device, set-user-ID bit or FIFO of the
// image works. The process's own root is an empty tmpfs with the container's root at /rootfs beside
// it, so that names which Go's resolver reads (/etc/resolv.conf, /etc/hosts) are files written
// here, with the bytes of the container's.
//
// Belongs here: mounts and paths. Does not: programs that run in the tree. It needs Linux 5.12
// (mount_setattr(2)). The functions are for a process that does nothing else meanwhile; a Tree is
// not safe for concurrent use.
package rootfs

import (
	"fmt"
	"io"
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
	t := &Tree{staging: staging}
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
	if err := t.copyNetworkFiles(); err != nil {
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

// copyNetworkFiles copies the files of the container that the resolver reads. A file that is
// absent, no regular file or too large is taken as empty: an empty resolv.conf is the server at
// 127.0.0.1 (resolv.conf(5)).
func (t *Tree) copyNetworkFiles() error {
	for _, name := range []string{"/etc/hosts", "/etc/resolv.conf"} {
		text, err := t.ReadFile(name, 1<<20)
		if err != nil {
			text = nil
		}
		if err := os.WriteFile(t.staging+name, text, 0o444); err != nil {
			return err
		}
	}
	return nil
}

// ReadFile reads a regular file of a bounded size, in bytes, beneath the container's root.
func (t *Tree) ReadFile(path string, most int64) ([]byte, error) {
	f, err := t.openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	tooLarge := fmt.Errorf("%q in the container is larger than %d bytes", path, most)
	if info.Size() > most {
		return nil, tooLarge
	}
	// Another container may write to the file at the same time.
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = tooLarge
	}
	return text, err
}

// openFile opens a regular file for reading. It opens nothing else, since to open a FIFO may block.
func (t *Tree) openFile(path string) (*os.File, error) {
	at, err := t.resolve(path, 0)
	if err != nil {
		return nil, fmt.Errorf("%q in the container: %w", path, err)
	}
	defer at.Close()
	info, err := at.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q in the container is no regular file", path)
	}
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", at.Fd()))
}

// IsFile reports whether a path leads to a regular file beneath the container's root.
func (t *Tree) IsFile(path string) bool {
	at, err := t.resolve(path, 0)
	if err != nil {
		return false
	}
	defer at.Close()
	info, err := at.Stat()
	return err == nil && info.Mode().IsRegular()
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

// Pivot makes the tree the root of the whole process and lets go of every other mount. readOnly is
// for the container's root itself; volumes have their own modes.
func (t *Tree) Pivot(readOnly bool) error {
	if readOnly {
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
