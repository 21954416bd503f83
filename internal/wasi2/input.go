package wasi2

import (
	"errors"
	"syscall"

	"github.com/wasport/wasport/internal/system"
)

// maxRead is how many bytes a read returns at most.
const maxRead = 64 << 10

// errClosed is the error of a stream at its end: stream-error's closed. Any other error is
// last-operation-failed.
var errClosed = errors.New("the stream is closed")

// input is an input-stream.
type input struct {
	*description

	// file is true for a stream over a file, which has a position of its own.
	file   bool
	offset uint64

	// closed is true after the end or an error.
	closed bool
}

// newInput makes the input stream of a socket or a standard stream.
func newInput(d *description) *input { return &input{description: d.use()} }

// read reads the bytes that are there now into b: 0 if there are none yet. At the end it returns
// errClosed.
func (s *input) read(g *Guest, b []byte) (int, error) {
	if s.closed || s.recvClosed {
		return 0, errClosed
	}
	if len(b) == 0 {
		return 0, nil
	}
	g.buf[0] = b
	var n int
	var err error
	if s.file {
		n, err = g.Pread(s.fd, g.buf[:], s.offset)
	} else {
		n, err = g.TryRead(s.fd, g.buf[:])
	}
	switch {
	case err == syscall.EAGAIN:
		return 0, nil
	case err != nil:
		s.closed = true
		return 0, err
	case n == 0:
		s.closed = true
		return 0, errClosed
	}
	s.offset += uint64(n)
	return n, nil
}

// await waits until a read would give bytes, the end or an error.
func (s *input) await(g *Guest) error {
	x := g.newInterest()
	if s.interest(x) {
		return g.Err()
	}
	return g.Await(x.FD, x.Kind)
}

// interest implements waitable.
func (s *input) interest(x *system.Subscription) (ready bool) {
	if s.closed || s.recvClosed || s.file {
		return true
	}
	x.Kind, x.FD = system.Reading, s.fd
	return false
}

// blockingRead is read after await.
func (s *input) blockingRead(g *Guest, b []byte) (int, error) {
	for {
		n, err := s.read(g, b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		if err := s.await(g); err != nil {
			return 0, err
		}
	}
}

// skip reads up to length bytes and drops them.
func (s *input) skip(g *Guest, length uint64) (uint64, error) {
	n, err := s.read(g, g.room(length))
	return uint64(n), err
}

func (s *input) blockingSkip(g *Guest, length uint64) (uint64, error) {
	n, err := s.blockingRead(g, g.room(length))
	return uint64(n), err
}

// drop ends the stream. A pollable of it is ready from then on.
func (s *input) drop(g *Guest) {
	s.closed = true
	g.release(s.description)
}

// ahead returns how many bytes of a socket were read ahead.
func (s *input) ahead(g *Guest) int {
	if s.closed || s.recvClosed {
		return 0
	}
	return g.ReadAhead(s.fd)
}

// available returns how many bytes can be read from a socket now; 0 if that is not known.
func (s *input) available(g *Guest) (int, error) {
	if s.closed || s.recvClosed {
		return 0, nil
	}
	return g.Available(s.fd)
}
