package system

// chunkSize is how many bytes one system call on a file moves. A guest may ask for gigabytes in one
// call, and a system call on a regular file cannot be interrupted. Between the chunks other guests
// run, and the guest may be killed.
const chunkSize = 4 << 20

func totalLen(bufs [][]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}

// prefix returns the first n bytes of bufs, which must have as many, and their last buffer as it
// was. The caller puts that back afterwards, since prefix shortens it in place.
func prefix(bufs [][]byte, n int) (short [][]byte, last []byte) {
	for i, b := range bufs {
		if n <= len(b) {
			bufs[i] = b[:n:n]
			return bufs[:i+1], b
		}
		n -= len(b)
	}
	return bufs, bufs[len(bufs)-1]
}

// inChunks calls move for one chunk of bufs after another; done is how many bytes were moved
// before. If a call fails after some bytes were moved, inChunks returns their number without the
// error, as a short read or write does: the guest's next call returns the error.
func (t *Thread) inChunks(bufs [][]byte, move func(bufs [][]byte, done int) (int, error)) (int,
	error) {
	total, left := 0, totalLen(bufs)
	for left > chunkSize {
		chunk, last := prefix(bufs, chunkSize)
		n, err := move(chunk, total)
		chunk[len(chunk)-1] = last
		if err != nil && total > 0 {
			return total, t.Err()
		}
		t.Tick()
		if total += n; err != nil || n < chunkSize || t.Err() != nil {
			return total, t.endReasonOr(err)
		}
		left -= n
		bufs = advance(bufs, n)
	}
	n, err := move(bufs, total)
	if err != nil && total > 0 {
		return total, t.Err()
	}
	return total + n, err
}

// endReasonOr returns the reason of the guest's end, or err while the guest runs.
func (g *Guest) endReasonOr(err error) error {
	if cause := g.Err(); cause != nil {
		return cause
	}
	return err
}
