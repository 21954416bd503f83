package hostfs

import "golang.org/x/sys/unix"

const (
	dsyncFlag = unix.O_DSYNC
	// macOS has no O_RSYNC.
	rsyncFlag = unix.O_SYNC
	utimeNow  = -1
	utimeOmit = -2
)
