package hostfs

import "golang.org/x/sys/unix"

const (
	dsyncFlag = unix.O_SYNC // O_DSYNC came with FreeBSD 13
	rsyncFlag = unix.O_SYNC // there is no O_RSYNC
	utimeNow  = unix.UTIME_NOW
	utimeOmit = unix.UTIME_OMIT
)
