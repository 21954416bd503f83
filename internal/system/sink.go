package system

import (
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/network"
)

// discard is the object of an output that goes nowhere.
type discard struct{ stream }

func (discard) write(bufs [][]byte) (int, error) {
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	return total, nil
}

// sinkBuffer is how many bytes a sink takes from the guest before the writer has taken them.
const sinkBuffer = 64 << 10

// sink is an output that goes to a Go writer. The writer may block for ever and may panic. So a
// goroutine calls it, which exists while bytes are left, and the guest waits for that goroutine in
// a way that its end interrupts.
//
// mu protects the fields below it. wakers are called with mu held.
type sink struct {
	stream
	name    string
	w       io.Writer
	onPanic func(*outside.Panic)

	mu sync.Mutex

	// buf holds the guest's bytes that the writer has not been given.
	buf []byte

	// spare is an empty buffer, to become the next buf.
	spare []byte

	// inFlight is how many bytes the writer has been given and has not returned for.
	inFlight int

	// err is the writer's error, for the next call of the guest.
	err error

	// writing is true while the goroutine exists.
	writing bool

	// idle is closed when the goroutine ends; nil if no caller waits for that.
	idle   chan struct{}
	wakers map[*func()]struct{}
}

func newSink(name string, w io.Writer, onPanic func(*outside.Panic)) *sink {
	return &sink{name: name, w: w, onPanic: onPanic}
}

// write takes as many bytes as fit. It returns EAGAIN if none do.
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

// run calls the writer until no bytes are left.
func (s *sink) run(b []byte) {
	for len(b) > 0 {
		b = s.writeChunk(b)
	}
}

// writeChunk passes b to the writer, and returns the next bytes for it.
func (s *sink) writeChunk(b []byte) (next []byte) {
	err := io.ErrShortWrite // if the writer panics or ends the goroutine
	defer func() { next = s.chunkWritten(b, err) }()
	outside.Protect(s.name, func() { err = writeOnce(s.w, b) }, s.onPanic)
	return nil
}

// takeBuf returns the bytes of buf for the writer. mu is held.
func (s *sink) takeBuf() []byte {
	b := s.buf
	s.buf, s.spare, s.inFlight = s.spare[:0], nil, len(b)
	return b
}

// chunkWritten notes that the writer has returned, and returns the next bytes for it. An error
// drops the bytes that follow.
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

// writeOnce calls the writer and checks its result against the contract of io.Writer.
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

// Idle returns a channel that is closed once the writer has taken all bytes.
func (s *sink) Idle() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.writing {
		return outside.Closed
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	return s.idle
}

// Busy returns the sink's name if the writer has not taken all bytes, else "".
func (s *sink) Busy() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.writing {
		return ""
	}
	return s.name
}

// drained reports whether the writer has taken all bytes or failed, and takes its error.
func (s *sink) drained() (bool, error) {
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
		if s.wakers == nil {
			s.wakers = make(map[*func()]struct{})
		}
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

// writeSink writes all of bufs. In blocking mode it waits until the writer has taken them.
func (t *Thread) writeSink(d *descriptor, s *sink, bufs [][]byte, how TransferFlags) (total int,
	err error) {
	for {
		n, err := s.write(bufs)
		if how&DontWait != 0 || d.nonblock.Load() {
			return n, err
		}
		total += n
		bufs = advance(bufs, n)
		switch {
		case err == syscall.EAGAIN || err == nil && len(bufs) > 0:
			err = t.block(d, network.Writable, noDeadline)
		case err == nil:
			return total, s.awaitDrained(func(idle <-chan struct{}) error {
				return t.Sleep(idle, -1)
			})
		}
		if err != nil {
			return total, err
		}
	}
}

// awaitDrained waits until the writer has taken all bytes, and returns its error or that of wait.
func (s *sink) awaitDrained(wait func(idle <-chan struct{}) error) error {
	for {
		idle := s.Idle()
		if done, err := s.drained(); done {
			return err
		}
		if err := wait(idle); err != nil {
			return err
		}
	}
}
