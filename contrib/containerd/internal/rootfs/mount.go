package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// noUse are types of mounts that a guest has no use for: WASI has no processes and no devices. They
// would show parts of the host.
var noUse = []string{"proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts", "devtmpfs"}

// mount makes a mount of the container's configuration. Its source is a path of the host, which
// containerd chose.
func (t *Tree) mount(m specs.Mount) error {
	bind := m.Type == "bind" || slices.Contains(m.Options, "bind") ||
		slices.Contains(m.Options, "rbind")
	switch {
	case bind:
		return t.mountBind(m)
	case slices.Contains(noUse, m.Type),
		m.Type == "tmpfs" && filepath.Clean(m.Destination) == "/dev":
		return nil
	case m.Type == "tmpfs":
		return t.mountTmpfs(m)
	}
	return fmt.Errorf("the type %q is not supported; bind and tmpfs are", m.Type)
}

func (t *Tree) mountBind(m specs.Mount) error {
	tree, err := cloneTree(m.Source, !slices.Contains(m.Options, "bind"))
	if err != nil {
		return fmt.Errorf("%s: %w", m.Source, err)
	}
	defer tree.Close()
	info, err := tree.Stat()
	if err != nil {
		return err
	}
	at, err := t.mountPoint(m.Destination, info.IsDir())
	if err != nil {
		return err
	}
	defer at.Close()
	var readOnly uint64
	if t.readNetwork(tree, m.Destination) || slices.Contains(m.Options, "ro") ||
		slices.Contains(m.Options, "rro") {
		readOnly = unix.MOUNT_ATTR_RDONLY
	}
	if err := restrict(tree, readOnly); err != nil {
		return err
	}
	return attach(tree, at)
}

func (t *Tree) mountTmpfs(m specs.Mount) error {
	options := make(map[string]string)
	for _, o := range m.Options {
		if key, value, ok := strings.Cut(o, "="); ok {
			options[key] = value
		}
	}
	mount, err := newTmpfs(options)
	if err != nil {
		return err
	}
	defer mount.Close()
	at, err := t.mountPoint(m.Destination, true)
	if err != nil {
		return err
	}
	defer at.Close()
	if err := attach(mount, at); err != nil {
		return err
	}
	if slices.Contains(m.Options, "ro") {
		return setAttr(mount, unix.MOUNT_ATTR_RDONLY, 0, 0)
	}
	return nil
}

// mountPoint is ensure for a mount. A mount on top of the root is refused: names would be resolved
// beneath it here, and in it by the guest.
func (t *Tree) mountPoint(name string, dir bool) (*os.File, error) {
	at, err := t.ensure(name, dir)
	if err != nil {
		return nil, err
	}
	info, err := at.Stat()
	var root os.FileInfo
	if err == nil {
		root, err = t.root.Stat()
	}
	if err == nil && os.SameFile(info, root) {
		err = errors.New("it is the root of the container; mount it at a directory in that")
	}
	if err != nil {
		at.Close()
		return nil, err
	}
	return at, nil
}

// cloneTree returns a copy of the mount that shows a path of the host, not attached anywhere.
func cloneTree(source string, recursive bool) (*os.File, error) {
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, source, flags)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), source), nil
}

// newTmpfs returns a mount of a new tmpfs, not attached anywhere.
func newTmpfs(options map[string]string) (*os.File, error) {
	fsfd, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("tmpfs: %w", err)
	}
	defer unix.Close(fsfd)
	for key, value := range options {
		if err := unix.FsconfigSetString(fsfd, key, value); err != nil {
			return nil, fmt.Errorf("tmpfs option %s=%s: %w", key, value, err)
		}
	}
	if err := unix.FsconfigCreate(fsfd); err != nil {
		return nil, fmt.Errorf("tmpfs: %w", err)
	}
	fd, err := unix.Fsmount(fsfd, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|
		unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return nil, fmt.Errorf("tmpfs: %w", err)
	}
	return os.NewFile(uintptr(fd), "tmpfs"), nil
}

// attach puts a mount onto a file or directory.
func attach(mount, at *os.File) error {
	err := unix.MoveMount(int(mount.Fd()), "", int(at.Fd()), "",
		unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	return nil
}

// restrict takes devices, set-user-ID bits and programs from a mount and those beneath it, and
// keeps the host's later mounts out of it.
func restrict(mount *os.File, more uint64) error {
	return setAttr(mount, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC|more,
		unix.MS_PRIVATE, unix.AT_RECURSIVE)
}

func setAttr(mount *os.File, attrs, propagation uint64, flags uint) error {
	err := unix.MountSetattr(int(mount.Fd()), "", unix.AT_EMPTY_PATH|flags,
		&unix.MountAttr{Attr_set: attrs, Propagation: propagation})
	if err != nil {
		return fmt.Errorf("mount_setattr (Linux 5.12): %w", err)
	}
	return nil
}

// snapshotFlags are the options of a snapshotter's mounts that are flags (mount(8)); the others are
// the file system's own.
var snapshotFlags = map[string]uintptr{
	"ro": unix.MS_RDONLY, "rw": 0, "bind": 0, "rbind": 0, "defaults": 0, "nodev": unix.MS_NODEV,
	"nosuid": unix.MS_NOSUID, "noexec": unix.MS_NOEXEC, "noatime": unix.MS_NOATIME,
	"nodiratime": unix.MS_NODIRATIME, "relatime": unix.MS_RELATIME, "sync": unix.MS_SYNCHRONOUS,
}

// mountSnapshot makes a mount of a snapshotter's.
func mountSnapshot(m Mount, at string) error {
	if m.Target != "" {
		return fmt.Errorf("its target %q is not supported", m.Target)
	}
	var flags uintptr
	var data []string
	for _, o := range m.Options {
		flag, known := snapshotFlags[o]
		if !known {
			data = append(data, o)
		}
		flags |= flag
	}
	if m.Type != "bind" {
		return mountLong(m.Source, at, m.Type, flags, data)
	}
	tree, err := cloneTree(m.Source, slices.Contains(m.Options, "rbind"))
	if err != nil {
		return err
	}
	defer tree.Close()
	dir, err := os.OpenFile(at, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	if flags&unix.MS_RDONLY != 0 {
		if err := setAttr(tree, unix.MOUNT_ATTR_RDONLY, 0, 0); err != nil {
			return err
		}
	}
	return attach(tree, dir)
}

// mountLong is mount(2). The options must fit in a page; the directories of an overlay with many
// layers do not, unless they are named from the directory that they have in common.
func mountLong(source, at, fsType string, flags uintptr, data []string) error {
	options := strings.Join(data, ",")
	if len(options) >= os.Getpagesize() && fsType == "overlay" {
		dir, short := shorten(data)
		if err := os.Chdir(dir); err != nil {
			return err
		}
		defer os.Chdir("/")
		options = strings.Join(short, ",")
	}
	if len(options) >= os.Getpagesize() {
		return fmt.Errorf("its options take %d bytes, more than a page: too many layers",
			len(options))
	}
	return unix.Mount(source, at, fsType, flags, options)
}

// shorten names the lower directories of an overlay from the directory that all are in.
func shorten(data []string) (dir string, short []string) {
	short = slices.Clone(data)
	for i, o := range short {
		list, ok := strings.CutPrefix(o, "lowerdir=")
		if !ok {
			continue
		}
		lower := strings.Split(list, ":")
		dir = filepath.Dir(lower[0])
		for _, l := range lower {
			for dir != "/" && dir != "." && !strings.HasPrefix(l, dir+"/") {
				dir = filepath.Dir(dir)
			}
		}
		for k, l := range lower {
			lower[k] = strings.TrimPrefix(strings.TrimPrefix(l, dir), "/")
		}
		short[i] = "lowerdir=" + strings.Join(lower, ":")
	}
	return dir, short
}
