//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"golang.org/x/sys/unix"
)

// fionread is the BSDs' FIONREAD: how many bytes there are to read, as an int.
const fionread = 0x4004667f

func sysAvailable(fd int) (int, error) {
	return unix.IoctlGetInt(fd, fionread)
}
