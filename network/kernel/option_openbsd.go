package kernel

import "golang.org/x/sys/unix"

const (
	keep          = absent // the times are the same for all sockets of the host
	keepIdle      = 0
	keepInterval  = 0
	keepCount     = 0
	lingerSeconds = unix.SO_LINGER

	noSignal = unix.MSG_NOSIGNAL
)
