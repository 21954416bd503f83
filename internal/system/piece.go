package system

// A guest can ask for gigabytes at once, and no system call on a file ends before it is done.
// So files are read and written in pieces, between which others run and the guest may end.
const pieceSize = 4 << 20

func length(bufs [][]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}

// first returns the first n bytes of bufs, which are as many or more. Until undo is called,
// bufs must not be used.
func first(bufs [][]byte, n int) (short [][]byte, undo func()) {
	for i, b := range bufs {
		if n <= len(b) {
			bufs[i] = b[:n:n]
			return bufs[:i+1], func() { bufs[i] = b }
		}
		n -= len(b)
	}
	return bufs, func() {}
}

// inPieces calls move for one piece of bufs after another, with the number of bytes that came
// before it. After an error the bytes before it count, as those of a short read or write do; it
// comes again.
func (t *Thread) inPieces(bufs [][]byte, move func(bufs [][]byte, done int) (int, error)) (int,
	error) {
	total, left := 0, length(bufs)
	for left > pieceSize {
		piece, undo := first(bufs, pieceSize)
		n, err := move(piece, total)
		undo()
		if err != nil && total > 0 {
			return total, t.Err()
		}
		t.Tick()
		if total += n; err != nil || n < pieceSize || t.Err() != nil {
			return total, t.reasonOr(err)
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

// reasonOr returns the reason of the guest's end, if it has ended, and else err.
func (g *Guest) reasonOr(err error) error {
	if cause := g.Err(); cause != nil {
		return cause
	}
	return err
}
