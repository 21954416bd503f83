package hostfs

import "golang.org/x/sys/unix"

const (
	// O_DSYNC exists from FreeBSD 13 on.
	dsyncFlag = unix.O_SYNC
	// FreeBSD has no O_RSYNC.
	rsyncFlag = unix.O_SYNC
	utimeNow  = unix.UTIME_NOW
	utimeOmit = unix.UTIME_OMIT
)
