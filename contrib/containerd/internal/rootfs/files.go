package rootfs

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// ReadFile reads a regular file of a bounded size, in bytes, beneath the container's root.
func (t *Tree) ReadFile(path string, most int64) ([]byte, error) {
	at, err := t.resolve(path, 0)
	if err != nil {
		return nil, fmt.Errorf("%q in the container: %w", path, err)
	}
	defer at.Close()
	return readRegular(at, path, most)
}

// ReadFixed is ReadFile for a file that the guest cannot change: its mount is read-only.
func (t *Tree) ReadFixed(path string, most int64) ([]byte, error) {
	at, err := t.resolve(path, 0)
	if err != nil {
		return nil, fmt.Errorf("%q in the container: %w", path, err)
	}
	defer at.Close()
	fixed, err := t.isFixed(at)
	if err != nil {
		return nil, err
	}
	if !fixed {
		return nil, fmt.Errorf("the guest could change %q in the container: mount its volume, or "+
			"the root, read-only", path)
	}
	return readRegular(at, path, most)
}

// isFixed reports whether the mount of a file is read-only, or will be.
func (t *Tree) isFixed(at *os.File) (bool, error) {
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(at.Fd()), &s); err != nil || s.Flags&unix.ST_RDONLY != 0 {
		return err == nil, err
	}
	mount, err := mountID(at)
	if err != nil {
		return false, err
	}
	root, err := mountID(t.root)
	return t.readOnly && mount == root, err
}

// mountID returns the number of the mount that a file was reached through (statx(2)).
func mountID(at *os.File) (uint64, error) {
	var s unix.Statx_t
	err := unix.Statx(int(at.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &s)
	return s.Mnt_id, err
}

// readRegular reads a regular file through a descriptor that stands for it. It opens nothing else,
// since to open a FIFO may block.
func readRegular(at *os.File, path string, most int64) ([]byte, error) {
	info, err := at.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q in the container is no regular file", path)
	}
	tooLarge := fmt.Errorf("%q in the container is larger than %d bytes", path, most)
	if info.Size() > most {
		return nil, tooLarge
	}
	f, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", at.Fd()))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Another container may write to the file at the same time.
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = tooLarge
	}
	return text, err
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
