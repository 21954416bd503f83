package system

import (
	"sync/atomic"

	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// descriptor is an entry of the table: a description, and the rights to it.
type descriptor struct {
	*description

	// preopen is the name of a preopened directory; nil for all others.
	preopen *string

	// reported are the rights that fd_fdstat_get returns; enforced are the ones that calls check.
	// enforced lacks only the rights that the guest gave up, and reading or writing if path_open
	// did not ask for it. RATIONALE.md has the reason.
	reported, enforced rights

	closed atomic.Bool
}

// description is an open file description (POSIX, open): the object and the blocking mode, which
// all descriptors share that dup(2) has made of each other. With the object they share its offset,
// its flags, and the bytes that were read ahead.
type description struct {
	object
	nonblock atomic.Bool

	// refs counts the descriptors. The last that is closed closes the object.
	refs atomic.Int32

	// epolls has the registrations of the description with epolls.
	epolls epollList
	// again counts the results EAGAIN.
	again atomic.Uint32
}

// rights are WASI rights: base holds for the descriptor, inheriting bounds the rights of
// descriptors that path_open makes from it.
type rights struct{ base, inheriting atomic.Uint64 }

func (r *rights) set(base, inheriting wasi.Rights) {
	r.base.Store(uint64(base))
	r.inheriting.Store(uint64(inheriting))
}

func (r *rights) copyFrom(o *rights) {
	r.base.Store(o.base.Load())
	r.inheriting.Store(o.inheriting.Load())
}

// narrow clears all rights but the given ones. It does so atomically: two threads may narrow the
// rights of one descriptor, and neither may restore a right that the other cleared.
func (r *rights) narrow(base, inheriting wasi.Rights) {
	r.base.And(uint64(base))
	r.inheriting.And(uint64(inheriting))
}

// object is the file, stream or socket behind a descriptor. Its methods never block: they return
// EAGAIN if nothing can be read or written now.
type object interface {
	network.Pollable
	filetype() wasi.Filetype
	read(bufs [][]byte) (int, error)
	write(bufs [][]byte) (int, error)
	stat() (wasi.Filestat, error)
	flags() wasi.Fdflags // without FdflagNonblock
	setFlags(wasi.Fdflags) error
	close() error
}

// ownDescriptor is a descriptor with a description of its own.
type ownDescriptor struct {
	descriptor
	of description
}

func newDescriptor(o object, base, inheriting wasi.Rights) *descriptor {
	return new(ownDescriptor).describe(o, base, inheriting)
}

// describe makes the descriptor one of an object.
func (d *ownDescriptor) describe(o object, base, inheriting wasi.Rights) *descriptor {
	d.of.object = o
	d.init(&d.of, base, inheriting)
	return &d.descriptor
}

// init makes the first descriptor of a description.
func (d *descriptor) init(of *description, base, inheriting wasi.Rights) {
	d.description = of
	d.refs.Store(1)
	d.reported.set(base, inheriting)
	d.enforced.set(base, inheriting)
}

// close closes the descriptor, and the object if no other descriptor has it.
func (d *descriptor) close() error {
	d.closed.Store(true)
	if d.refs.Add(-1) > 0 {
		return nil
	}
	d.epolls.leaveAll()
	return d.object.close()
}

// dup returns another descriptor of the same description. d must be open until dup returns.
func (d *descriptor) dup() *descriptor {
	d.refs.Add(1)
	n := &descriptor{description: d.description}
	n.reported.copyFrom(&d.reported)
	n.enforced.copyFrom(&d.enforced)
	return n
}

// asSocket returns the object if it is a socket. The descriptor may be nil.
func (d *descriptor) asSocket() (*socket, bool) {
	if d == nil {
		return nil, false
	}
	s, ok := d.object.(*socket)
	return s, ok
}

// require returns ENOTCAPABLE unless the descriptor has all rights in want.
func (d *descriptor) require(want wasi.Rights) error {
	if wasi.Rights(d.enforced.base.Load())&want != want {
		return wasi.ENOTCAPABLE
	}
	return nil
}

// lookupWith returns the descriptor fd if it has all rights in want.
func (g *Guest) lookupWith(fd int32, want wasi.Rights) (*descriptor, error) {
	d, err := g.table.lookup(fd)
	if err != nil {
		return nil, err
	}
	return d, d.require(want)
}

// Fdstat returns the type, flags and reported rights of a descriptor.
func (g *Guest) Fdstat(fd int32) (wasi.Fdstat, error) {
	d, err := g.table.lookup(fd)
	if err != nil {
		return wasi.Fdstat{}, err
	}
	s := wasi.Fdstat{
		Type: d.filetype(), Flags: d.flags(),
		Base:       wasi.Rights(d.reported.base.Load()),
		Inheriting: wasi.Rights(d.reported.inheriting.Load()),
	}
	if d.nonblock.Load() {
		s.Flags |= wasi.FdflagNonblock
	}
	return s, nil
}

// SetFlags replaces the flags of a descriptor.
func (g *Guest) SetFlags(fd int32, flags wasi.Fdflags) error {
	d, err := g.lookupWith(fd, wasi.RightFdstatSetFlags)
	if err != nil {
		return err
	}
	if flags&^wasi.FdflagsAll != 0 {
		return wasi.EINVAL
	}
	if err := d.setFlags(flags &^ wasi.FdflagNonblock); err != nil {
		return err
	}
	d.nonblock.Store(flags&wasi.FdflagNonblock != 0)
	return nil
}

// SetRights clears rights of a descriptor. A right that is not among the reported ones is
// ENOTCAPABLE.
func (g *Guest) SetRights(fd int32, base, inheriting wasi.Rights) error {
	d, err := g.table.lookup(fd)
	if err != nil {
		return err
	}
	if base&^wasi.Rights(d.reported.base.Load()) != 0 ||
		inheriting&^wasi.Rights(d.reported.inheriting.Load()) != 0 {
		return wasi.ENOTCAPABLE
	}
	d.reported.narrow(base, inheriting)
	d.enforced.narrow(base, inheriting)
	g.table.generation.Add(1) // after the change, so that Poll asks for the right again
	return nil
}

// Filestat returns the attributes of a file, stream or socket.
func (g *Guest) Filestat(fd int32) (wasi.Filestat, error) {
	d, err := g.lookupWith(fd, wasi.RightFdFilestatGet)
	if err != nil {
		return wasi.Filestat{}, err
	}
	return d.stat()
}

// Read reads from a file, stream or socket into bufs, as readv(2) does.
func (t *Thread) Read(fd int32, bufs [][]byte) (int, error) { return t.read(fd, bufs, 0) }

// TryRead reads as Read does in non-blocking mode.
func (t *Thread) TryRead(fd int32, bufs [][]byte) (int, error) { return t.read(fd, bufs, DontWait) }

func (t *Thread) read(fd int32, bufs [][]byte, how TransferFlags) (int, error) {
	d, err := t.lookupWith(fd, wasi.RightFdRead)
	if err != nil {
		return 0, err
	}
	if s, ok := d.asSocket(); ok {
		r, err := t.receive(d, s, bufs, how, nil)
		return r.N, err
	}
	for {
		n, err := t.inChunks(bufs, func(bufs [][]byte, _ int) (int, error) { return d.read(bufs) })
		if !d.shouldRetry(err, how) {
			return n, err
		}
		if err := t.block(d, network.Readable, noDeadline); err != nil {
			return 0, err
		}
	}
}

// Write writes bufs to a file, stream or socket, as writev(2) does.
func (t *Thread) Write(fd int32, bufs [][]byte) (int, error) { return t.write(fd, bufs, 0) }

// TryWrite writes as Write does in non-blocking mode.
func (t *Thread) TryWrite(fd int32, bufs [][]byte) (int, error) {
	return t.write(fd, bufs, DontWait)
}

func (t *Thread) write(fd int32, bufs [][]byte, how TransferFlags) (int, error) {
	d, err := t.lookupWith(fd, wasi.RightFdWrite)
	if err != nil {
		return 0, err
	}
	if s, ok := d.asSocket(); ok {
		return t.send(d, s, bufs, noAddress, how, nil)
	}
	t.endSendRun()
	switch o := d.object.(type) {
	case *sink:
		return t.writeSink(d, o, bufs, how)
	case pipeWriter:
		return t.writePipe(d, o, bufs, how)
	case counter:
		return t.writeCounter(d, o, bufs, how)
	}
	for {
		n, err := t.inChunks(bufs, func(bufs [][]byte, _ int) (int, error) { return d.write(bufs) })
		if !d.shouldRetry(err, how) {
			return n, err
		}
		if err := t.block(d, network.Writable, noDeadline); err != nil {
			return 0, err
		}
	}
}
