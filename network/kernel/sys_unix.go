//go:build unix

package kernel

import "golang.org/x/sys/unix"

// descriptor is the system's name of a socket.
type descriptor = int

func sysListen(fd, backlog int) error {
	return unix.Listen(fd, backlog)
}

func sysShutdown(fd, how int) error {
	return unix.Shutdown(fd, how)
}
