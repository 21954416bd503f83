//go:build dragonfly || freebsd || netbsd

package kernel

import "golang.org/x/sys/unix"

const (
	keep          = intValue
	keepIdle      = unix.TCP_KEEPIDLE
	keepInterval  = unix.TCP_KEEPINTVL
	keepCount     = unix.TCP_KEEPCNT
	lingerSeconds = unix.SO_LINGER

	noSignal = unix.MSG_NOSIGNAL
)
