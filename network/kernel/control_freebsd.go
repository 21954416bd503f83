package kernel

import "golang.org/x/sys/unix"

const (
	recvTOS = flag
	typeTOS = unix.IP_RECVTOS
)
