package wasi2

// maxResources bounds the resources of a guest, of all types together. Most take some 100 bytes of
// the host.
const maxResources = 65_536

// slab holds the resources of one type. A resource is known to components by its rep, the position
// in its slab; the canonical ABI checks that a handle is of the right type.
type slab[T any] struct {
	items []*T
	free  []uint32 // positions without a resource
}

// at returns a resource. Only reps that put or take returned come here, so it is there.
func (s *slab[T]) at(rep uint32) *T { return s.items[rep] }

// countResource counts another resource, if the guest may have one.
func (g *Guest) countResource() error {
	if g.resources >= maxResources {
		return trapf("the guest has more than %d resources of WASI", maxResources)
	}
	g.resources++
	return nil
}

// put adds a resource and returns its rep.
func put[T any](g *Guest, s *slab[T], item *T) (uint32, error) {
	if err := g.countResource(); err != nil {
		return 0, err
	}
	if n := len(s.free); n > 0 {
		rep := s.free[n-1]
		s.free = s.free[:n-1]
		s.items[rep] = item
		return rep, nil
	}
	s.items = append(s.items, item)
	return uint32(len(s.items) - 1), nil
}

// remove removes a resource and returns it.
func remove[T any](g *Guest, s *slab[T], rep uint32) *T {
	item := s.items[rep]
	s.items[rep] = nil
	s.free = append(s.free, rep)
	g.resources--
	return item
}

// description is an open descriptor of the guest's table with the state that the resources on it
// share, as an open file description is shared by descriptors in POSIX (open(2)): a socket and its
// two streams, a file and the streams over it. It is closed with the last of them.
type description struct {
	fd int32
	of source

	// users is the number of resources.
	users int

	// permanent is true for the standard streams and preopened directories, which stay open.
	permanent bool

	// recvClosed and sendClosed are true once the directions of a connection were shut down.
	recvClosed, sendClosed bool

	pending pending
}

// newDescription returns the description of a descriptor that was just opened.
func newDescription(fd int32, of source) *description { return &description{fd: fd, of: of} }

// use counts another resource.
func (d *description) use() *description {
	d.users++
	return d
}

// release drops a resource, and closes the descriptor with the last.
func (g *Guest) release(d *description) {
	if d.users--; d.users == 0 && !d.permanent {
		d.pending.free(g)
		g.CloseFD(d.fd) // an error was the last write's, and the guest has no call to learn of it
	}
}
