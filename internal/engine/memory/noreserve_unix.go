//go:build unix && !freebsd

package memory

import "golang.org/x/sys/unix"

// noReserve keeps a large reservation from counting as memory in use before it is touched.
const noReserve = unix.MAP_NORESERVE
