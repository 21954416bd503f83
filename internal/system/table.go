package system

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/internal/outside"
)

// table holds a guest's descriptors under their numbers. A new one gets the lowest free number, as
// POSIX has it.
type table struct {
	mu         sync.RWMutex
	slots      []*descriptor
	lowestFree int // every slot below it is taken
	numOpen    int
	maxOpen    int
	ended      bool

	// generation counts the changes after which a number may mean another descriptor, or none.
	generation atomic.Uint64

	multiThreaded    atomic.Bool  // the guest has, or had, more than one thread
	readAheadSockets atomic.Int32 // sockets of which something was received ahead
}

// insert gives a descriptor a number. It takes ownership: without a number the descriptor is
// closed.
func (g *Guest) insert(d *descriptor) (int32, error) {
	fd, err := g.table.insert(d)
	if err != nil {
		d.close()
		g.reportIfFull(err)
	}
	return fd, err
}

// checkRoom reports whether another descriptor would find no place, so that a call which makes one
// can fail before it does its work.
func (g *Guest) checkRoom() error {
	err := g.table.checkRoom()
	g.reportIfFull(err)
	return err
}

func (g *Guest) reportIfFull(err error) {
	if err == syscall.EMFILE {
		g.RefusedBy("descriptors", g.table.maxOpen)
	}
}

// RefusedBy tells the embedder that a limit of the guest refused something.
func (g *Guest) RefusedBy(name string, limit int) {
	if g.onLimit != nil {
		g.onLimit(name, limit)
	}
}

func (t *table) insert(d *descriptor) (int32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return -1, syscall.EBADF
	}
	if t.numOpen >= t.maxOpen {
		return -1, syscall.EMFILE
	}
	for t.lowestFree < len(t.slots) && t.slots[t.lowestFree] != nil {
		t.lowestFree++
	}
	if t.lowestFree == len(t.slots) {
		t.slots = append(t.slots, nil)
	}
	t.slots[t.lowestFree] = d
	t.numOpen++
	return int32(t.lowestFree), nil
}

func (t *table) checkRoom() error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.numOpen >= t.maxOpen {
		return syscall.EMFILE
	}
	return nil
}

func (t *table) lookup(fd int32) (*descriptor, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if fd < 0 || int(fd) >= len(t.slots) || t.slots[fd] == nil {
		return nil, syscall.EBADF
	}
	return t.slots[fd], nil
}

func (t *table) remove(fd int32) (*descriptor, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if fd < 0 || int(fd) >= len(t.slots) || t.slots[fd] == nil {
		return nil, syscall.EBADF
	}
	d := t.slots[fd]
	t.slots[fd] = nil
	t.lowestFree = min(t.lowestFree, int(fd))
	t.numOpen--
	t.generation.Add(1)
	return d, nil
}

// move puts the descriptor at from in the place of the one at to, and returns that one.
func (t *table) move(from, to int32) (*descriptor, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, fd := range [...]int32{from, to} {
		if fd < 0 || int(fd) >= len(t.slots) || t.slots[fd] == nil {
			return nil, syscall.EBADF
		}
	}
	if from == to {
		return nil, nil
	}
	old := t.slots[to]
	t.slots[to], t.slots[from] = t.slots[from], nil
	t.lowestFree = min(t.lowestFree, int(from))
	t.numOpen--
	t.generation.Add(1)
	return old, nil
}

// closeAll closes every descriptor. A network of the embedder's that panics does not keep the
// others open.
func (t *table) closeAll(onPanic func(*outside.Panic)) {
	t.mu.Lock()
	slots := t.slots
	t.slots, t.numOpen, t.ended = nil, 0, true
	t.generation.Add(1)
	t.mu.Unlock()
	for _, d := range slots {
		if d != nil {
			outside.Protect("closing a descriptor", func() { d.close() }, onPanic)
		}
	}
}

// CloseFD closes a descriptor and wakes whoever is blocked on it.
func (g *Guest) CloseFD(fd int32) error {
	d, err := g.table.remove(fd)
	if err != nil {
		return err
	}
	d.close()
	g.wakePollers()
	return nil
}

// Renumber gives the descriptor at from the number to, closing what had that number. Both must be
// open.
func (g *Guest) Renumber(from, to int32) error {
	old, err := g.table.move(from, to)
	if err != nil || old == nil {
		return err
	}
	old.close()
	g.wakePollers()
	return nil
}
