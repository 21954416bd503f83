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
	mu    sync.RWMutex
	slots []*descriptor
	low   int // every slot below it is taken
	open  int
	max   int
	ended bool

	// gone counts the changes after which a number may mean another descriptor, or none.
	gone atomic.Uint64

	several atomic.Bool  // the guest has, or had, more than one thread
	ahead   atomic.Int32 // sockets of which something was received ahead
}

// insert gives a descriptor a number. It takes ownership: without a number the descriptor is
// closed.
func (g *Guest) insert(d *descriptor) (int32, error) {
	fd, err := g.table.insert(d)
	if err != nil {
		d.close()
		g.noteFull(err)
	}
	return fd, err
}

// full reports whether another descriptor would find no place, so that a call which makes one can
// fail before it does its work.
func (g *Guest) full() error {
	err := g.table.full()
	g.noteFull(err)
	return err
}

func (g *Guest) noteFull(err error) {
	if err == syscall.EMFILE {
		g.RefusedBy("descriptors", g.table.max)
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
	if t.open >= t.max {
		return -1, syscall.EMFILE
	}
	for t.low < len(t.slots) && t.slots[t.low] != nil {
		t.low++
	}
	if t.low == len(t.slots) {
		t.slots = append(t.slots, nil)
	}
	t.slots[t.low] = d
	t.open++
	return int32(t.low), nil
}

func (t *table) full() error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.open >= t.max {
		return syscall.EMFILE
	}
	return nil
}

func (t *table) at(fd int32) (*descriptor, error) {
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
	t.low = min(t.low, int(fd))
	t.open--
	t.gone.Add(1)
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
	t.low = min(t.low, int(from))
	t.open--
	t.gone.Add(1)
	return old, nil
}

// closeAll closes every descriptor. A network of the embedder's that panics does not keep the
// others open.
func (t *table) closeAll(failed func(*outside.Panic)) {
	t.mu.Lock()
	slots := t.slots
	t.slots, t.open, t.ended = nil, 0, true
	t.gone.Add(1)
	t.mu.Unlock()
	for _, d := range slots {
		if d != nil {
			outside.Protect("closing a descriptor", func() { d.close() }, failed)
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
	g.wake()
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
	g.wake()
	return nil
}
