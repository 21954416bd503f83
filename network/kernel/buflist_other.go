//go:build windows || (linux && !portable)

package kernel

import (
	"sync"

	"github.com/wasport/wasport/network"
)

const (
	// stackBufs is the number of buffers that fit in a list on the stack.
	stackBufs = 8
	// maxBufs is UIO_MAXIOV of Linux, see readv(2). It is the same on every system.
	maxBufs = 1024
)

// bufList holds one buffer more than the kernel takes, so that the kernel refuses a datagram of too
// many buffers with EMSGSIZE.
type bufList [maxBufs + 1]iovec

var bufLists = sync.Pool{New: func() any { return new(bufList) }}

// emptyBuf is the address that an empty buffer has.
var emptyBuf byte

// iovecs lists the buffers that are not empty: in few if they fit, and otherwise in a pooled list
// for putBufList. A stream leaves the buffers beyond maxBufs for a later call. A datagram cannot be
// split, so the list keeps one buffer too many and the kernel refuses it.
func iovecs(few []iovec, bufs [][]byte, typ network.Type) ([]iovec, *bufList) {
	var pooled *bufList
	list := few
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		if len(list) == cap(list) {
			if pooled != nil {
				break
			}
			pooled = bufLists.Get().(*bufList)
			list = append(pooled[:0], list...)
		}
		list = append(list, makeIovec(b))
	}
	if typ == network.Stream && len(list) > maxBufs {
		list = list[:maxBufs]
	}
	return list, pooled
}

// putBufList returns a list to the pool, without its pointers into a guest's memory.
func putBufList(pooled *bufList) {
	if pooled != nil {
		clear(pooled[:])
		bufLists.Put(pooled)
	}
}
