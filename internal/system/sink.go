package system

import (
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/network"
)

// discard is a descriptor whose output nobody wants.
type discard struct{ stream }

func (discard) write(bufs [][]byte) (int, error) {
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	return total, nil
}

// sinkBuffer is how much a sink takes from the guest before the writer has taken it.
const sinkBuffer = 64 << 10

// sink is a descriptor that writes to a Go writer. The writer may block for ever, and may panic:
// so a goroutine calls it, which lives while there is something to write. The guest waits for the
// writer in a way that the guest's end interrupts.
type sink struct {
	stream
	name    string
	w       io.Writer
	onPanic func(*outside.Panic)

	mu       sync.Mutex
	buf      []byte        // taken from the guest, but for what the writer has in hand
	spare    []byte        // an empty buffer for the next of the guest's bytes
	inFlight int           // bytes that the writer is being given
	err      error         // of the writer, for the next call of the guest
	writing  bool          // a goroutine calls the writer
	idle     chan struct{} // closed when it has ended; nil if nobody waits
	wakers   map[*func()]struct{}
}

func newSink(name string, w io.Writer, onPanic func(*outside.Panic)) *sink {
	return &sink{name: name, w: w, onPanic: onPanic, wakers: make(map[*func()]struct{})}
}

// write takes as much as there is room for.
func (s *sink) write(bufs [][]byte) (total int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.err; err != nil {
		s.err = nil
		return 0, err
	}
	wanted := 0
	for _, b := range bufs {
		b, wanted = b[:min(len(b), s.room())], wanted+len(b)
		s.buf = append(s.buf, b...)
		total += len(b)
	}
	if wanted > 0 && total == 0 {
		return 0, syscall.EAGAIN
	}
	if total > 0 && !s.writing {
		s.writing = true
		go s.run(s.takeBuf())
	}
	return total, nil
}

func (s *sink) room() int { return sinkBuffer - len(s.buf) - s.inFlight }

// run gives the writer what the guest has written, until nothing is left.
func (s *sink) run(b []byte) {
	for len(b) > 0 {
		b = s.writeChunk(b)
	}
}

// writeChunk gives the writer some bytes, and returns the next ones.
func (s *sink) writeChunk(b []byte) (next []byte) {
	err := io.ErrShortWrite // of a writer that does not return
	defer func() { next = s.chunkWritten(b, err) }()
	outside.Protect(s.name, func() { err = writeOnce(s.w, b) }, s.onPanic)
	return nil
}

// takeBuf takes the bytes for the writer. The lock is held.
func (s *sink) takeBuf() []byte {
	b := s.buf
	s.buf, s.spare, s.inFlight = s.spare[:0], nil, len(b)
	return b
}

// chunkWritten notes that the writer has returned, and takes the next bytes for it. After an error
// what follows is dropped.
func (s *sink) chunkWritten(b []byte, err error) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare = b
	if err != nil {
		s.err, s.buf = err, s.buf[:0]
	}
	next := s.takeBuf()
	if len(next) == 0 {
		s.writing = false
		if s.idle != nil {
			close(s.idle)
			s.idle = nil
		}
	}
	for wake := range s.wakers {
		(*wake)()
	}
	return next
}

// writeOnce holds the writer to what io.Writer promises.
func writeOnce(w io.Writer, b []byte) error {
	n, err := w.Write(b)
	switch {
	case n < 0 || n > len(b):
		panic(fmt.Errorf("Write returned %d of %d bytes", n, len(b)))
	case n < len(b) && err == nil:
		return io.ErrShortWrite
	}
	return err
}

// Idle is closed once the writer has taken everything.
func (s *sink) Idle() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.writing {
		idle := make(chan struct{})
		close(idle)
		return idle
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	return s.idle
}

// Busy names the sink if the writer has not taken everything.
func (s *sink) Busy() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.writing {
		return ""
	}
	return s.name
}

// settled reports whether the writer has taken everything, or what error kept it from that.
func (s *sink) settled() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.err
	s.err = nil
	return !s.writing || err != nil, err
}

func (s *sink) Poll(want network.Events) (network.Events, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room() == 0 && s.err == nil {
		return 0, nil
	}
	return want & network.Writable, nil
}

func (s *sink) Readiness() network.Readiness {
	return network.Readiness{Notify: func(_ network.Events, wake func()) (stop func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wakers[&wake] = struct{}{}
		if s.room() > 0 || s.err != nil {
			wake()
		}
		return func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.wakers, &wake)
		}
	}}
}

// writeSink writes all of bufs, and waits until the writer has taken them, unless the descriptor
// is in non-blocking mode.
func (t *Thread) writeSink(d *descriptor, s *sink, bufs [][]byte) (total int, err error) {
	for {
		n, err := s.write(bufs)
		if d.nonblock.Load() {
			return n, err
		}
		total += n
		bufs = advance(bufs, n)
		switch {
		case err == syscall.EAGAIN || err == nil && len(bufs) > 0:
			err = t.block(d, network.Writable, noDeadline)
		case err == nil:
			return total, t.settle(s)
		}
		if err != nil {
			return total, err
		}
	}
}

// settle waits until the writer has taken everything.
func (t *Thread) settle(s *sink) error {
	for {
		idle := s.Idle()
		if done, err := s.settled(); done {
			return err
		}
		if err := t.Sleep(idle, -1); err != nil {
			return err
		}
	}
}
