package system

// A guest can ask for gigabytes at once, and no system call on a file ends before it is done.
// So files are read and written in pieces, between which others run and the guest may end.
const chunkSize = 4 << 20

func totalLen(bufs [][]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}

// prefix returns the first n bytes of bufs, which are as many or more. Until undo is called,
// bufs must not be used.
func prefix(bufs [][]byte, n int) (short [][]byte, undo func()) {
	for i, b := range bufs {
		if n <= len(b) {
			bufs[i] = b[:n:n]
			return bufs[:i+1], func() { bufs[i] = b }
		}
		n -= len(b)
	}
	return bufs, func() {}
}

// inChunks calls move for one piece of bufs after another, with the number of bytes that came
// before it. After an error the bytes before it count, as those of a short read or write do; it
// comes again.
func (t *Thread) inChunks(bufs [][]byte, move func(bufs [][]byte, done int) (int, error)) (int,
	error) {
	total, left := 0, totalLen(bufs)
	for left > chunkSize {
		chunk, undo := prefix(bufs, chunkSize)
		n, err := move(chunk, total)
		undo()
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

// endReasonOr returns the reason of the guest's end, if it has ended, and else err.
func (g *Guest) endReasonOr(err error) error {
	if cause := g.Err(); cause != nil {
		return cause
	}
	return err
}
