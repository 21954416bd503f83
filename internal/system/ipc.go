package system

import (
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/internal/ipc"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// pipeRights are the rights of both ends of a pipe and of a counter, but those to read and to
// write.
const pipeRights = wasi.RightsStream &^ (wasi.RightFdRead | wasi.RightFdWrite)

// pipeReader, pipeWriter and counter are the objects of pipe(2) and eventfd(2). They refund their
// memory when they are closed.
type (
	pipeReader struct {
		memoryObject
		ipc.PipeReader
	}
	pipeWriter struct {
		memoryObject
		ipc.PipeWriter
	}
	counter struct {
		memoryObject
		*ipc.Counter
	}
)

// memoryObject has the methods that the objects share.
type memoryObject struct{ *shared }

func (memoryObject) filetype() wasi.Filetype       { return wasi.FiletypePipe }
func (memoryObject) flags() wasi.Fdflags           { return 0 }
func (memoryObject) setFlags(wasi.Fdflags) error   { return nil }
func (memoryObject) stat() (wasi.Filestat, error)  { return wasi.Filestat{}, nil }
func (memoryObject) read([][]byte) (int, error)    { return 0, syscall.EBADF }
func (memoryObject) write([][]byte) (int, error)   { return 0, syscall.EBADF }
func (r pipeReader) read(b [][]byte) (int, error)  { return r.Read(b) }
func (w pipeWriter) write(b [][]byte) (int, error) { return w.Write(b) }
func (c counter) read(b [][]byte) (int, error)     { return c.Read(b) }
func (c counter) write(b [][]byte) (int, error)    { return c.Write(b) }
func (r pipeReader) close() error                  { return r.leave(r.Close()) }
func (w pipeWriter) close() error                  { return w.leave(w.Close()) }
func (c counter) close() error                     { return c.leave(c.Close()) }

// pairEnd is one end of a pair of sockets.
type pairEnd struct {
	*ipc.Socket
	*shared
}

func (p pairEnd) Close() error { return p.leave(p.Socket.Close()) }

// shared is the memory of an object that one or two ends share. The last end refunds it.
type shared struct {
	ends   atomic.Int32
	bytes  int64
	refund func(bytes int64)
}

// leave notes that an end was closed, with that result.
func (m *shared) leave(err error) error {
	if err == nil && m.ends.Add(-1) == 0 {
		m.refund(m.bytes)
	}
	return err
}

// share charges the guest for an object with a number of ends.
func (g *Guest) share(bytes int64, ends int32) (*shared, error) {
	if err := g.memory.ChargeMemory(bytes); err != nil {
		return nil, err
	}
	m := &shared{bytes: bytes, refund: g.memory.RefundMemory}
	m.ends.Store(ends)
	return m, nil
}

// Pipe makes a pipe, as pipe2(2) does, and returns the ends to read and to write. It is ENFILE
// without memory (pipe(2)).
func (g *Guest) Pipe(nonblock bool) (reader, writer int32, err error) {
	m, err := g.share(ipc.PipeMemory, 2)
	if err != nil {
		return -1, -1, syscall.ENFILE
	}
	r, w := ipc.NewPipe()
	return g.insertPair(nonblock,
		newDescriptor(pipeReader{memoryObject{m}, r}, pipeRights|wasi.RightFdRead, 0),
		newDescriptor(pipeWriter{memoryObject{m}, w}, pipeRights|wasi.RightFdWrite, 0))
}

// Pair makes two connected sockets, as socketpair(2) does. It is ENOBUFS without memory.
func (g *Guest) Pair(typ network.Type, nonblock bool) (a, b int32, err error) {
	bytes := int64(ipc.StreamPairMemory)
	if typ == network.Datagram {
		bytes = ipc.DatagramPairMemory
	}
	m, err := g.share(bytes, 2)
	if err != nil {
		return -1, -1, err
	}
	x, y := ipc.NewPair(typ)
	return g.insertPair(nonblock, newSocket(pairEnd{x, m}), newSocket(pairEnd{y, m}))
}

// insertPair inserts two descriptors, or closes both.
func (g *Guest) insertPair(nonblock bool, x, y *descriptor) (a, b int32, err error) {
	x.nonblock.Store(nonblock)
	y.nonblock.Store(nonblock)
	if a, err = g.insert(x); err != nil {
		y.close()
		return -1, -1, err
	}
	if b, err = g.insert(y); err != nil {
		g.CloseFD(a)
		return -1, -1, err
	}
	return a, b, nil
}

// counterMemory is charged for a counter in bytes, with its descriptor.
const counterMemory = 1 << 10

// Counter makes a counter, as eventfd(2) does. It is ENOMEM without memory.
func (g *Guest) Counter(initial uint32, semaphore, nonblock bool) (int32, error) {
	m, err := g.share(counterMemory, 1)
	if err != nil {
		return -1, syscall.ENOMEM
	}
	d := newDescriptor(counter{memoryObject{m}, ipc.NewCounter(initial, semaphore)},
		pipeRights|wasi.RightFdRead|wasi.RightFdWrite, 0)
	d.nonblock.Store(nonblock)
	return g.insert(d)
}

// writePipe writes all of bufs. In blocking mode it waits for room.
func (t *Thread) writePipe(d *descriptor, w pipeWriter, bufs [][]byte,
	how TransferFlags) (total int, err error) {
	for {
		n, err := w.Write(bufs)
		total += n
		if err == nil {
			if bufs = advance(bufs, n); len(bufs) == 0 {
				return total, nil
			}
			err = syscall.EAGAIN
		}
		if d.shouldRetry(err, how) {
			err = t.block(d, network.Writable, noDeadline)
		}
		if err != nil {
			if total > 0 { // bytes were written; the next call returns the error
				err = t.Err()
			}
			return total, err
		}
	}
}

// writeCounter waits in blocking mode until the number can be added.
func (t *Thread) writeCounter(d *descriptor, c counter, bufs [][]byte, how TransferFlags) (int,
	error) {
	for {
		n, err := c.Write(bufs)
		if !d.shouldRetry(err, how) {
			return n, err
		}
		if err := t.blockOn(d, c.RoomFor(bufs), network.Writable, noDeadline); err != nil {
			return 0, err
		}
	}
}
