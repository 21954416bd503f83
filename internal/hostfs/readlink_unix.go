//go:build unix && !dragonfly

package hostfs

import "golang.org/x/sys/unix"

func readlinkat(fd int, path string, buf []byte) (int, error) {
	return unix.Readlinkat(fd, path, buf)
}
