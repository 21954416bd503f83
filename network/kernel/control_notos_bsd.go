//go:build dragonfly || netbsd || openbsd

package kernel

// These systems do not tell the type of service of a packet of IPv4.
const (
	recvTOS = unsupported
	typeTOS = -1
)
