package hostfs

import "golang.org/x/sys/unix"

const (
	dsyncFlag = unix.O_DSYNC
	rsyncFlag = unix.O_SYNC // there is no O_RSYNC
	utimeNow  = -1
	utimeOmit = -2
)
