//go:build !linux || portable

package kernel

import "sync"

// tailBuf receives the part of a datagram that does not fit into the buffers, since the system does
// not report its length. A UDP datagram is not longer (RFC 768).
type tailBuf [1 << 16]byte

var tailBufs = sync.Pool{New: func() any { return new(tailBuf) }}
