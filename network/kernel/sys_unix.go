//go:build unix

package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// descriptor is the system's name of a socket.
type descriptor = int

// sendsNowhere tells that the system sends a datagram without a destination. Linux refuses it, and
// binds the socket all the same.
const sendsNowhere = false

func sysListen(fd, backlog int) error {
	return unix.Listen(fd, backlog)
}

func sysShutdown(fd int, _ network.Type, how int) error {
	return unix.Shutdown(fd, how)
}
