package outside

import (
	"fmt"
	"io"
	"runtime"
)

// maxEmptyReads is how many results of 0 and nil Read accepts in a row, as bufio does.
const maxEmptyReads = 100

// Read reads until there are bytes or an error. It panics if a result breaks the contract of
// io.Reader.
func Read(r io.Reader, buf []byte) (int, error) {
	// io.Reader discourages results of 0 and nil, but allows them.
	for range maxEmptyReads {
		n, err := r.Read(buf)
		switch {
		case n < 0 || n > len(buf):
			panic(fmt.Errorf("Read returned %d of %d bytes", n, len(buf)))
		case n > 0 || err != nil:
			return n, err
		}
		runtime.Gosched()
	}
	return 0, io.ErrNoProgress
}

// ReadAt reads at an offset. It panics if a result breaks the contract of io.ReaderAt.
func ReadAt(r io.ReaderAt, buf []byte, offset int64) (int, error) {
	n, err := r.ReadAt(buf, offset)
	if n < 0 || n > len(buf) || n < len(buf) && err == nil {
		panic(fmt.Errorf("ReadAt returned %d of %d bytes and the error %v", n, len(buf), err))
	}
	return n, err
}
