//go:build !linux || portable

package kernel

import "sync"

// A spill takes the rest of a datagram that is longer than the buffers, where the system would not
// tell how long it was. No UDP datagram is longer (RFC 768).
type spill [1 << 16]byte

var spills = sync.Pool{New: func() any { return new(spill) }}
