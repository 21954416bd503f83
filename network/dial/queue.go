package dial

// queue holds the bytes of a stream in one direction.
type queue struct {
	bytes []byte
	// taken is the number of bytes at the front that were taken out.
	taken int
}

func (q *queue) len() int { return len(q.bytes) - q.taken }

func (q *queue) data() []byte { return q.bytes[q.taken:] }

func (q *queue) add(b []byte) {
	if q.taken > 0 && len(q.bytes)+len(b) > cap(q.bytes) {
		q.bytes = q.bytes[:copy(q.bytes, q.data())]
		q.taken = 0
	}
	q.bytes = append(q.bytes, b...)
}

// take removes n bytes. An empty queue keeps no memory.
func (q *queue) take(n int) {
	if q.taken += n; q.taken == len(q.bytes) {
		*q = queue{}
	}
}

// copyTo copies bytes to bufs and leaves them in the queue.
func (q *queue) copyTo(bufs [][]byte) (n int) {
	data := q.data()
	for _, b := range bufs {
		n += copy(b, data[n:])
	}
	return n
}
