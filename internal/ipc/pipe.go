// Package ipc connects descriptors of one guest with each other, in memory: by pipes (pipe(7)),
// pairs of sockets (socketpair(2)) and counters (eventfd(2)).
//
// Operations are tried and never block: they return EAGAIN. Waiting, blocking mode and descriptors
// are those of internal/system. Nothing here reaches the host's system or another guest, so no
// policy judges it. Each constructor has a constant with the memory that its object takes at most,
// by which the caller bounds a guest.
//
// All methods may be called from several goroutines at once. Locks: those of internal/ring, and
// watch.mu, which is held while wake functions are called. None is taken while another is held.
package ipc

import (
	"net"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/internal/ring"
	"github.com/wasport/wasport/network"
)

// PipeMemory is the memory that a pipe takes at most in bytes, which is also its capacity, and
// AtomicWrite the number of bytes up to which a write is done as a whole or not at all: the
// capacity and PIPE_BUF of Linux (pipe(7)).
const (
	PipeMemory  = 64 << 10
	AtomicWrite = 4 << 10
)

// pipe is the part that both ends share.
type pipe struct {
	ring.Stream
	// ended tells that the writer is closed, and refused that the reader is.
	ended, refused       atomic.Bool
	forReader, forWriter watch
}

// PipeReader is the end of a pipe that is read, and PipeWriter the one that is written.
type (
	PipeReader struct{ p *pipe }
	PipeWriter struct{ p *pipe }
)

// NewPipe makes a pipe.
func NewPipe() (PipeReader, PipeWriter) {
	p := new(pipe)
	p.MinRoom = AtomicWrite
	p.SetLimit(PipeMemory)
	return PipeReader{p}, PipeWriter{p}
}

// Read returns 0 at the end, when the other end is closed.
func (r PipeReader) Read(bufs [][]byte) (int, error) {
	if r.p.refused.Load() {
		return 0, net.ErrClosed
	}
	ended := r.p.ended.Load() // the bytes before the end are there when the end is
	n, freed := r.p.Stream.Read(bufs, false)
	if freed {
		r.p.forWriter.wake()
	}
	if n == 0 && !ended && ring.TotalLen(bufs) > 0 {
		return 0, syscall.EAGAIN
	}
	return n, nil
}

// Poll reports Readable while there are bytes, and Hangup after the end of the writer.
func (r PipeReader) Poll(want network.Events) (network.Events, error) {
	if r.p.refused.Load() {
		return 0, net.ErrClosed
	}
	var got network.Events
	if r.p.ended.Load() {
		got |= network.Hangup
	}
	if r.p.Len() > 0 {
		got |= network.Readable
	}
	return got & (want | always), nil
}

func (r PipeReader) Readiness() network.Readiness { return readinessOf(r, &r.p.forReader) }

// Available returns the number of bytes in the pipe.
func (r PipeReader) Available() (int, error) { return r.p.Len(), nil }

func (r PipeReader) Close() error {
	if r.p.refused.Swap(true) {
		return net.ErrClosed
	}
	r.p.Drop()
	r.p.forReader.wake()
	r.p.forWriter.wake()
	return nil
}

// Write returns EPIPE after the reader is closed.
func (w PipeWriter) Write(bufs [][]byte) (int, error) {
	if w.p.ended.Load() {
		return 0, net.ErrClosed
	}
	total, least := ring.TotalLen(bufs), 1
	if total <= AtomicWrite {
		least = total
	}
	n := 0
	if total > 0 {
		n = w.p.Stream.Write(bufs, least)
	}
	switch {
	case n > 0:
		w.p.forReader.wake()
		return n, nil
	case total == 0:
		return 0, nil
	case w.p.refused.Load():
		return 0, syscall.EPIPE
	}
	return 0, syscall.EAGAIN
}

// Poll reports Writable while a write of AtomicWrite bytes is possible, and Failed as well after
// the end of the reader.
func (w PipeWriter) Poll(want network.Events) (network.Events, error) {
	if w.p.ended.Load() {
		return 0, net.ErrClosed
	}
	var got network.Events
	if w.p.refused.Load() {
		got |= network.Failed | network.Writable
	}
	if w.p.IsWritable() {
		got |= network.Writable
	}
	return got & (want | always), nil
}

func (w PipeWriter) Readiness() network.Readiness { return readinessOf(w, &w.p.forWriter) }
func (w PipeWriter) Available() (int, error)      { return w.p.Len(), nil }

func (w PipeWriter) Close() error {
	if w.p.ended.Swap(true) {
		return net.ErrClosed
	}
	w.p.forReader.wake()
	w.p.forWriter.wake()
	return nil
}
