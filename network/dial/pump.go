package dial

import (
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/network"
)

// pieceSize is the number of bytes that are read or written at once.
const pieceSize = 32 << 10

var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// read reads ahead until the end of the connection or of the socket.
func (s *stream) read(conn net.Conn) {
	piece := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(piece)
	for {
		room := s.awaitRoom()
		if room == 0 {
			return
		}
		n, err := outside.Read(conn, piece[:min(room, len(piece))])
		s.mu.Lock()
		s.recv.add(piece[:n])
		switch {
		case err == nil:
		case err == io.EOF || s.readShut:
			s.eof = true
		default:
			s.fail(errnoOf(err, syscall.ECONNRESET))
		}
		s.wake()
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// awaitRoom waits for room in the receive queue, a quarter of it if it is full: a guest that takes
// single bytes must not cost a read of the host for each. It returns 0 if nothing is to be read any
// more.
func (s *stream) awaitRoom() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for worthwhile := 1; ; s.changed.Wait() {
		size := queueSize(s.options.recvBuffer)
		room := size - s.recv.len()
		switch {
		case s.ended || s.readShut || s.broken:
			return 0
		case room >= worthwhile:
			return room
		}
		worthwhile = size / 4
	}
}

// fail ends a connection that has failed. mu is held.
func (s *stream) fail(e syscall.Errno) {
	if !s.broken {
		s.broken, s.pending = true, e
	}
	s.send = queue{}
	s.changed.Broadcast()
}

// startWriting makes sure that the goroutine exists which writes. mu is held.
func (s *stream) startWriting() {
	if s.writing {
		return
	}
	s.writing = true
	go s.run(func() {
		if s.write() {
			closeConn(s.conn, false)
		}
	})
}

// write writes the send queue, and then ends the stream if that is due. It returns when there is
// nothing more to do for now, and reports whether the connection is to be closed.
func (s *stream) write() (finished bool) {
	piece := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(piece)
	for {
		s.mu.Lock()
		n := copy(piece[:], s.send.data())
		endStream := n == 0 && s.writeShut && !s.finished && !s.broken
		if n == 0 && !endStream {
			s.writing = false
			finished := s.closing == closeWritten
			if finished {
				s.closing = closeNow
				s.lingering.Stop()
			}
			s.mu.Unlock()
			return finished
		}
		s.finished = s.finished || endStream
		s.mu.Unlock()
		if endStream {
			s.closeWrite()
			continue
		}
		written, err := s.conn.Write(piece[:n])
		if written < 0 || written > n || written < n && err == nil {
			panic(fmt.Sprintf("Write returned %d of %d bytes and the error %v", written, n, err))
		}
		s.mu.Lock()
		if err != nil {
			s.fail(errnoOf(err, syscall.EPIPE))
		} else if s.send.len() > 0 { // fail may have emptied it meanwhile
			s.send.take(written)
		}
		s.wake()
		s.mu.Unlock()
	}
}

// closeWrite ends the sending direction of the connection. A connection that cannot do so is closed
// by Close alone.
func (s *stream) closeWrite() {
	if c, ok := s.conn.(halfCloser); ok {
		c.CloseWrite()
	}
}

// closeConnection returns a function, to be called without mu, that closes the connection of a
// closed socket if that is due already. mu is held.
func (s *stream) closeConnection() func() {
	conn := s.conn
	switch {
	case s.options.linger == 0 || s.recv.len() > 0:
		s.send, s.closing = queue{}, closeReset
		return func() { closeConn(conn, true) }
	case s.broken || s.panicked != nil || s.send.len() == 0 && !s.writing:
		s.closing = closeNow
		return func() { closeConn(conn, false) }
	case s.closing != closeHeld:
		s.closing = closeWritten
	}
	s.lingering = time.AfterFunc(lingerTimeout, func() { s.run(func() { closeConn(conn, true) }) })
	return func() {}
}

// unsent is the data of a closed stream that are not written yet.
type unsent struct{ *stream }

// Unsent implements network.Buffered.
func (s *stream) Unsent() network.Unsent {
	if s.lock() != nil {
		return nil
	}
	defer s.mu.Unlock()
	if s.send.len() == 0 || s.broken || s.recv.len() > 0 || s.options.linger == 0 {
		return nil
	}
	s.closing = closeHeld
	return unsent{s}
}

// End lets the connection be closed once everything is written.
func (u unsent) End() {
	s := u.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing == closeHeld {
		s.closing = closeWritten
		s.startWriting()
	}
}

func (u unsent) Memory() (int64, error) {
	s := u.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(s.send.len()), nil
}

// Close leaves the rest to the goroutine that writes.
func (u unsent) Close() error { return nil }

func (u unsent) Reset() error {
	s := u.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send, s.closing = queue{}, closeReset
	conn := s.conn
	go s.run(func() { closeConn(conn, true) })
	if s.lingering != nil {
		s.lingering.Stop()
	}
	return nil
}
