package wasi2

import (
	"syscall"

	"github.com/wasport/wasport/internal/system"
)

const (
	// maxPermit is how many bytes check-write permits.
	maxPermit = 64 << 10

	// maxBlockingWrite is how many bytes the blocking writes take (streams.wit,
	// blocking-write-and-flush).
	maxBlockingWrite = 4096
)

// target tells where an output stream writes.
type target uint8

const (
	toStream target = iota // a socket or a standard stream
	toOffset               // a file, at the stream's own position
	toEnd                  // a file, at its end
)

// output is an output-stream. What the system does not take at once goes on by itself, see pending.
type output struct {
	*description
	target target
	offset uint64

	// permit is how many bytes the next write may have.
	permit uint64

	// closed is true after an error, and after the stream was dropped.
	closed bool
}

// newOutput makes the output stream of a socket or a standard stream.
func newOutput(d *description) *output { return &output{description: d.use()} }

// check returns the error that the stream has to report. A write that went on by itself may have
// left one.
func (s *output) check() error {
	if s.closed {
		return errClosed // The error, if there is one, is for another handle of the stream.
	}
	if err := s.pending.takeError(); err != nil {
		return s.fail(err)
	}
	if s.sendClosed {
		return errClosed
	}
	return nil
}

// fail closes the stream for an error. The guest gets the error once, or none if it says only that
// nobody reads any more.
func (s *output) fail(err error) error {
	s.closed = true
	if err == syscall.EPIPE {
		return errClosed
	}
	return err
}

// checkWrite returns how many bytes the next write may have.
func (s *output) checkWrite() (uint64, error) {
	if err := s.check(); err != nil {
		return 0, err
	}
	s.permit = 0
	if !s.pending.busy() {
		s.permit = maxPermit
	}
	return s.permit, nil
}

// write writes b, of which checkWrite must have permitted the length. It does not wait.
func (s *output) write(g *Guest, b []byte) error {
	if err := s.check(); err != nil {
		return err
	}
	if len(b) == 0 {
		return nil
	}
	if uint64(len(b)) > s.permit {
		return trapf("the stream permits %d bytes, and %d are written", s.permit, len(b))
	}
	s.permit = 0
	// Another handle of a standard stream may have got the same permit.
	if err := s.pending.await(g); err != nil {
		return err
	}
	return s.send(g, b)
}

// send writes b; nothing is pending.
func (s *output) send(g *Guest, b []byte) error {
	for len(b) > 0 {
		n, err := s.transfer(g, b)
		switch {
		case err == syscall.EAGAIN:
			return s.begin(g, b)
		case err != nil:
			return s.fail(err)
		}
		s.offset += uint64(n)
		b = b[n:]
	}
	return nil
}

// begin lets the system write b as it can.
func (s *output) begin(g *Guest, b []byte) error {
	if err := s.pending.start(g, s.description, b); err != nil {
		return s.fail(err)
	}
	return nil
}

func (s *output) transfer(g *Guest, b []byte) (int, error) {
	g.buf[0] = b
	switch s.target {
	case toOffset:
		return g.Pwrite(s.fd, g.buf[:], s.offset)
	case toEnd:
		return g.Append(s.fd, g.buf[:])
	}
	return g.TryWrite(s.fd, g.buf[:])
}

// flush asks that all bytes are written: the stream permits nothing until then.
func (s *output) flush(g *Guest) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.target != toStream || s.of == ofSocket || s.pending.busy() {
		return nil
	}
	done, err := g.Flushed(s.fd)
	switch {
	case err != nil:
		return s.fail(err)
	case !done:
		s.permit = 0
		return s.begin(g, nil)
	}
	return nil
}

// blockingFlush waits until all bytes are written.
func (s *output) blockingFlush(g *Guest) error {
	if err := s.flush(g); err != nil || !s.pending.started {
		return err
	}
	if err := s.pending.await(g); err != nil {
		return err
	}
	return s.check()
}

// blockingWriteAndFlush waits until b is written; it needs no permit.
func (s *output) blockingWriteAndFlush(g *Guest, b []byte) error {
	if len(b) > maxBlockingWrite {
		return trapf("a blocking write takes %d bytes, and %d are written", maxBlockingWrite,
			len(b))
	}
	if err := s.blockingFlush(g); err != nil {
		return err
	}
	if err := s.send(g, b); err != nil {
		return err
	}
	return s.blockingFlush(g)
}

// writeZeroes and blockingWriteZeroes write as many zeroes as a write may have bytes.
func (s *output) writeZeroes(g *Guest, length uint64) error {
	// A length beyond the permit makes write trap before it reads the zeroes.
	if length > maxPermit {
		return trapf("the stream permits %d bytes, and %d zeroes are written", s.permit, length)
	}
	return s.write(g, zeroes[:length])
}

func (s *output) blockingWriteZeroes(g *Guest, length uint64) error {
	return s.blockingWriteAndFlush(g, zeroes[:min(length, maxBlockingWrite+1)])
}

var zeroes [maxPermit]byte

// splice moves up to length bytes from src, as checkWrite, read and write do.
func (s *output) splice(g *Guest, src *input, length uint64) (uint64, error) {
	permit, err := s.checkWrite()
	if err != nil {
		return 0, err
	}
	b := g.room(min(length, permit))
	n, err := src.read(g, b)
	if err != nil || n == 0 {
		return 0, err
	}
	return uint64(n), s.write(g, b[:n])
}

// blockingSplice is splice once both streams are ready.
func (s *output) blockingSplice(g *Guest, src *input, length uint64) (uint64, error) {
	for {
		if err := s.pending.await(g); err != nil {
			return 0, err
		}
		n, err := s.splice(g, src, length)
		if n > 0 || err != nil || length == 0 {
			return n, err
		}
		if err := src.await(g); err != nil {
			return 0, err
		}
	}
}

// interest implements waitable: the stream is ready unless a write goes on.
func (s *output) interest(x *system.Subscription) (ready bool) {
	if s.closed || s.sendClosed || !s.pending.busy() {
		return true
	}
	s.pending.launchNow()
	x.Kind, x.Signal = system.Signalled, &s.pending.ended
	return false
}

// drop ends the stream once everything is written.
func (s *output) drop(g *Guest) error {
	err := s.pending.await(g)
	s.closed = true
	g.release(s.description)
	return err
}
