//go:build portable

package kernel

import "golang.org/x/sys/unix"

const noSignal = unix.MSG_NOSIGNAL

func sysAvailable(fd int) (int, error) {
	n, err := unix.IoctlGetUint32(fd, unix.TIOCINQ)
	return int(n), err
}
