package testutil

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// OpenPTY opens both ends of a pseudo-terminal (pty(7)). The caller closes slave. The error is of a
// system without any.
func OpenPTY(t testing.TB) (master, slave *os.File, err error) {
	t.Helper()
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("a pseudo-terminal is missing; mount devpts: %w", err)
	}
	t.Cleanup(func() { master.Close() })
	conn, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		return nil, nil, fmt.Errorf("a pseudo-terminal cannot be unlocked: %w", err)
	}
	// Package os would put it into non-blocking mode.
	fd, err := unix.Open(fmt.Sprintf("/dev/pts/%d", number),
		unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("a pseudo-terminal lacks its end; mount devpts: %w", err)
	}
	return master, os.NewFile(uintptr(fd), "tty"), nil
}
