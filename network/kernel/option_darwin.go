package kernel

import "golang.org/x/sys/unix"

const (
	keep         = intValue
	keepIdle     = unix.TCP_KEEPALIVE
	keepInterval = unix.TCP_KEEPINTVL
	keepCount    = unix.TCP_KEEPCNT
	// SO_LINGER of macOS counts ticks of the clock.
	lingerSeconds = unix.SO_LINGER_SEC

	// Go's runtime ignores the SIGPIPE of a socket, see package os/signal.
	noSignal = 0
)
