package system

import (
	"sync/atomic"

	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// descriptor is an entry of the table: something open, what may be done with it, and whether its
// calls block.
type descriptor struct {
	object
	preopen *string // the name of a preopened directory

	// reported are the rights that fd_fdstat_get gives. enforced are those that calls ask for:
	// fewer only where reading or writing was not asked for, or a right was given up. RATIONALE.md
	// has the reason.
	reported, enforced rights

	nonblock atomic.Bool
	closed   atomic.Bool
}

// rights are the rights of a descriptor, and those that it hands on to what is opened through it.
type rights struct{ base, inheriting atomic.Uint64 }

func (r *rights) set(base, inheriting wasi.Rights) {
	r.base.Store(uint64(base))
	r.inheriting.Store(uint64(inheriting))
}

// narrow takes away all rights but these. Two threads may narrow the rights of one descriptor, and
// neither may restore what the other took away.
func (r *rights) narrow(base, inheriting wasi.Rights) {
	r.base.And(uint64(base))
	r.inheriting.And(uint64(inheriting))
}

// object is what a descriptor refers to. Reading and writing are tried, never waited for: EAGAIN
// says that there is nothing to do now.
type object interface {
	network.Pollable
	filetype() wasi.Filetype
	read(bufs [][]byte) (int, error)
	write(bufs [][]byte) (int, error)
	stat() (wasi.Filestat, error)
	flags() wasi.Fdflags // but for Nonblock
	setFlags(wasi.Fdflags) error
	close() error
}

func newDescriptor(o object, base, inheriting wasi.Rights) *descriptor {
	d := &descriptor{object: o}
	d.reported.set(base, inheriting)
	d.enforced.set(base, inheriting)
	return d
}

func (d *descriptor) close() error {
	d.closed.Store(true)
	return d.object.close()
}

// asSocket is what a descriptor refers to if that is a socket. The descriptor may be nil.
func (d *descriptor) asSocket() (*socket, bool) {
	if d == nil {
		return nil, false
	}
	s, ok := d.object.(*socket)
	return s, ok
}

// require returns ENOTCAPABLE unless the descriptor has all of the rights wanted.
func (d *descriptor) require(want wasi.Rights) error {
	if wasi.Rights(d.enforced.base.Load())&want != want {
		return wasi.ENOTCAPABLE
	}
	return nil
}

// lookupWith finds a descriptor that has the rights wanted.
func (g *Guest) lookupWith(fd int32, want wasi.Rights) (*descriptor, error) {
	d, err := g.table.lookup(fd)
	if err != nil {
		return nil, err
	}
	return d, d.require(want)
}

// Fdstat tells what a descriptor is and may do.
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

// SetFlags replaces a descriptor's flags.
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

// SetRights takes rights away from a descriptor. Adding one to those reported is ENOTCAPABLE.
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
	return nil
}

// Filestat tells the attributes of what a descriptor refers to.
func (g *Guest) Filestat(fd int32) (wasi.Filestat, error) {
	d, err := g.lookupWith(fd, wasi.RightFdFilestatGet)
	if err != nil {
		return wasi.Filestat{}, err
	}
	return d.stat()
}

// Read reads from a file, stream or socket into bufs.
func (t *Thread) Read(fd int32, bufs [][]byte) (int, error) {
	d, err := t.lookupWith(fd, wasi.RightFdRead)
	if err != nil {
		return 0, err
	}
	if s, ok := d.asSocket(); ok {
		r, err := t.receive(d, s, bufs, 0)
		return r.N, err
	}
	for {
		n, err := t.inChunks(bufs, func(bufs [][]byte, _ int) (int, error) { return d.read(bufs) })
		if !d.shouldRetry(err, 0) {
			return n, err
		}
		if err := t.block(d, network.Readable, noDeadline); err != nil {
			return 0, err
		}
	}
}

// Write writes bufs to a file, stream or socket.
func (t *Thread) Write(fd int32, bufs [][]byte) (int, error) {
	d, err := t.lookupWith(fd, wasi.RightFdWrite)
	if err != nil {
		return 0, err
	}
	if s, ok := d.asSocket(); ok {
		return t.send(d, s, bufs, noAddress, 0)
	}
	if s, ok := d.object.(*sink); ok {
		return t.writeSink(d, s, bufs)
	}
	for {
		n, err := t.inChunks(bufs, func(bufs [][]byte, _ int) (int, error) { return d.write(bufs) })
		if !d.shouldRetry(err, 0) {
			return n, err
		}
		if err := t.block(d, network.Writable, noDeadline); err != nil {
			return 0, err
		}
	}
}
