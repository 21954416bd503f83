package kernel

import (
	"math"
	"syscall"

	"github.com/wasport/wasport/network"
)

// maxBufBytes is how many bytes one call moves. macOS refuses more than INT_MAX with EINVAL
// (write(2) of macOS), and Linux moves no more than this (write(2), notes).
const maxBufBytes = math.MaxInt32 &^ 0xFFF

// capBufs leaves what a stream has beyond a number of buffers, or beyond maxBufBytes, for a later
// call. A datagram cannot be split.
func capBufs(bufs [][]byte, typ network.Type, most int) ([][]byte, error) {
	if left, ok := maxBufBytes, len(bufs) <= most; ok {
		for _, b := range bufs {
			if ok = len(b) <= left; !ok {
				break
			}
			left -= len(b)
		}
		if ok {
			return bufs, nil
		}
	}
	full, left := make([][]byte, 0, min(len(bufs), most)), maxBufBytes
	for _, b := range bufs {
		switch {
		case len(b) == 0:
		case typ == network.Datagram && (len(full) == most || len(b) > left):
			return nil, syscall.EMSGSIZE
		case len(full) < most && left > 0:
			full = append(full, b[:min(len(b), left)])
			left -= len(full[len(full)-1])
		}
	}
	return full, nil
}
