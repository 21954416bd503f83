package kernel

import "golang.org/x/sys/unix"

const (
	// One setting of sysctl(2) holds for all sockets of the host.
	keep          = unsupported
	keepIdle      = 0
	keepInterval  = 0
	keepCount     = 0
	lingerSeconds = unix.SO_LINGER

	noSignal = unix.MSG_NOSIGNAL
)
