//go:build unix && !freebsd

package memory

import "golang.org/x/sys/unix"

// noReserve keeps a reservation from being accounted before it is touched (proc_sys_vm(5),
// overcommit_memory).
const noReserve = unix.MAP_NORESERVE
