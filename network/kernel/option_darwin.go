package kernel

import "golang.org/x/sys/unix"

const (
	keep          = number
	keepIdle      = unix.TCP_KEEPALIVE
	keepInterval  = unix.TCP_KEEPINTVL
	keepCount     = unix.TCP_KEEPCNT
	lingerSeconds = unix.SO_LINGER_SEC // its SO_LINGER counts ticks of the clock

	noSignal = 0 // Go's runtime turns the signal of a socket into EPIPE
)
