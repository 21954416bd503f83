package system

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/internal/outside"
)

// table maps descriptor numbers to descriptors. A new descriptor gets the lowest free number
// (POSIX, open).
//
// mu protects all fields but the atomic ones, and is held to write slots. lookup takes no lock,
// since it runs in every call on a descriptor. It may overlap with the removal of a descriptor and
// still return it, as if it had come before. Its caller may find the descriptor closed in any case.
type table struct {
	mu sync.Mutex

	// slots grows by a longer copy, during which mu keeps the slots as they are. It is nil for an
	// empty table and at the end.
	slots atomic.Pointer[[]slot]

	// first is the first of these slices, and firstArray its array, so that a guest with few
	// descriptors needs no other.
	first      []slot
	firstArray [4]slot

	used       int // no number from here on was ever given
	lowestFree int // all slots below it are taken
	numOpen    int // with those that charge has taken
	maxOpen    int
	ended      bool

	// generation counts the operations that give a number another descriptor or none, or a
	// descriptor fewer rights. Poll compares it to notice that its cached descriptors are out of
	// date.
	generation atomic.Uint64

	// multiThreaded is true once the guest has had a second thread. It never becomes false.
	multiThreaded atomic.Bool

	// readAheadSockets counts the sockets that hold bytes read ahead.
	readAheadSockets atomic.Int32

	// failedSockets counts the sockets with an error that was taken from the host's.
	failedSockets atomic.Int32
}

// slot is an entry of the table; nil is a free one.
type slot = atomic.Pointer[descriptor]

// insert gives a descriptor a number and owns it: on failure it closes the descriptor.
func (g *Guest) insert(d *descriptor) (int32, error) {
	if s, ok := d.asSocket(); ok {
		s.numFailed = &g.table.failedSockets
	}
	fd, err := g.table.insert(d)
	if err != nil {
		d.close()
		g.reportIfFull(err)
	}
	return fd, err
}

// checkRoom returns EMFILE if the table is full, so that a call that makes a descriptor can fail
// before it has any effect.
func (g *Guest) checkRoom() error {
	err := g.table.checkRoom()
	g.reportIfFull(err)
	return err
}

func (g *Guest) reportIfFull(err error) {
	if err == syscall.EMFILE {
		g.ReportLimit("descriptors", g.table.maxOpen)
	}
}

// ReportLimit reports to Config.OnLimit that a limit has refused something.
func (g *Guest) ReportLimit(name string, limit int) {
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
	slots := t.allSlots()
	for t.lowestFree < len(slots) && slots[t.lowestFree].Load() != nil {
		t.lowestFree++
	}
	t.put(t.lowestFree, d)
	return int32(t.lowestFree), nil
}

func (t *table) checkRoom() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.numOpen >= t.maxOpen {
		return syscall.EMFILE
	}
	return nil
}

// charge counts n descriptors of the host that have no number of the guest's. It is EMFILE unless
// there is room for one with a number as well.
func (t *table) charge(n int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.numOpen+n >= t.maxOpen {
		return syscall.EMFILE
	}
	t.numOpen += n
	return nil
}

func (t *table) refund(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		t.numOpen -= n
	}
}

// lookup returns the descriptor of a slot.
func (t *table) lookup(fd int32) (*descriptor, error) {
	if slots := t.slots.Load(); slots != nil && uint(fd) < uint(len(*slots)) {
		if d := (*slots)[fd].Load(); d != nil {
			return d, nil
		}
	}
	return nil, syscall.EBADF
}

// allSlots returns the slots, the free ones among them.
func (t *table) allSlots() []slot {
	if slots := t.slots.Load(); slots != nil {
		return *slots
	}
	return nil
}

func (t *table) remove(fd int32) (*descriptor, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d, err := t.lookup(fd)
	if err != nil {
		return nil, err
	}
	t.allSlots()[fd].Store(nil)
	t.lowestFree = min(t.lowestFree, int(fd))
	t.numOpen--
	t.generation.Add(1)
	return d, nil
}

// move gives the descriptor at from the number to. It returns the descriptor that had that number.
func (t *table) move(from, to int32) (*descriptor, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, fd := range [...]int32{from, to} {
		if _, err := t.lookup(fd); err != nil {
			return nil, err
		}
	}
	if from == to {
		return nil, nil
	}
	slots := t.allSlots()
	// lookup may see both, as between dup2(2) and close(2), but never neither.
	old := slots[to].Swap(slots[from].Load())
	slots[from].Store(nil)
	t.lowestFree = min(t.lowestFree, int(from))
	t.numOpen--
	t.generation.Add(1)
	return old, nil
}

// closeAll closes every descriptor and refuses new ones. A panic of an embedder's Close is passed
// to onPanic; the remaining descriptors are still closed.
func (t *table) closeAll(onPanic func(*outside.Panic)) {
	t.mu.Lock()
	slots := t.allSlots()
	t.slots.Store(nil)
	t.numOpen, t.ended = 0, true
	t.generation.Add(1)
	t.mu.Unlock()
	for i := range slots {
		if d := slots[i].Load(); d != nil {
			outside.Protect("closing a descriptor", func() { d.close() }, onPanic)
		}
	}
}

// CloseFD closes a descriptor and wakes the threads that wait for it.
func (g *Guest) CloseFD(fd int32) error {
	d, err := g.table.remove(fd)
	if err != nil {
		return err
	}
	d.close()
	g.wakePollers()
	return nil
}

// Renumber gives the descriptor at from the number to and closes the one that had it, as dup2(2)
// does. Both must be open.
func (g *Guest) Renumber(from, to int32) error {
	old, err := g.table.move(from, to)
	if err != nil || old == nil {
		return err
	}
	old.close()
	g.wakePollers()
	return nil
}
