package hostfs

import "golang.org/x/sys/unix"

const (
	dsyncFlag = unix.O_DSYNC
	rsyncFlag = unix.O_RSYNC
	utimeNow  = 1<<30 - 1
	utimeOmit = 1<<30 - 2
)
