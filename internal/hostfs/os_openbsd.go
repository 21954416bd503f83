package hostfs

import "golang.org/x/sys/unix"

const (
	dsyncFlag = unix.O_DSYNC
	rsyncFlag = unix.O_RSYNC
	utimeNow  = unix.UTIME_NOW
	utimeOmit = unix.UTIME_OMIT
)
