// Package memory gives a guest its linear memory: address space reserved at once, pages committed
// as the memory grows and resident only where they are touched, given back when nobody uses them
// any more.
//
// It knows wazero's allocator interface and the system's calls for address space, nothing else: how
// much a guest may have, and who holds a reference, is decided in the engine.
package memory

import (
	"errors"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero/experimental"
)

// PageSize is the unit in which WebAssembly counts memory, in bytes.
const PageSize = 1 << 16

// ErrLimit says that a module asks for more memory at its start than its guest may have.
var ErrLimit = errors.New("memory: the minimum is above the limit")

var errNoSpace = errors.New("the limit of address space, RLIMIT_AS, leaves too little")

// commitAhead is by how much more than asked the memory is committed, so that a guest that grows
// page by page costs one system call in sixteen pages. It stays below a huge page, which would make
// untouched pages resident.
const commitAhead = 16 * PageSize

// Config describes the memory that a module declares or imports. All sizes are in bytes.
type Config struct {
	Min   uint64 // the size at the start
	Max   uint64 // the size that the module declares as its greatest
	Limit uint64 // the size that the guest may not exceed

	// Shared memory never moves, and all of it is committed from the start: when one of a guest's
	// threads ends, wazero forgets the memory's allocator, and the others then grow it without
	// asking.
	Shared bool

	// Budget is what the memory is charged to: a memory that is not shared as it grows, a shared
	// one for its minimum alone.
	Budget *Budget
}

// A Memory is one guest's linear memory, and an experimental.MemoryAllocator that hands it to the
// one instance that defines it. It is born with one reference, its maker's, and goes back to the
// system when the last reference is released: wazero's own Free, which comes while the guest's
// other threads and system calls still use the memory, does nothing.
type Memory struct {
	max    uint64
	shared bool
	budget *Budget

	mu        sync.Mutex
	refs      int
	allocated bool
	reserved  []byte
	committed uint64
	charged   uint64
}

// New reserves memory, and commits its minimum. It returns ErrLimit, or the system's error when
// that refuses.
func New(c Config) (*Memory, error) {
	if c.Min > c.Limit {
		return nil, fmt.Errorf("%w: %d bytes, %d allowed", ErrLimit, c.Min, c.Limit)
	}
	if !c.Budget.Take(c.Min) {
		return nil, fmt.Errorf("%w: %d bytes, beside what the guest holds already", ErrLimit, c.Min)
	}
	m := &Memory{max: max(c.Min, min(c.Max, c.Limit)), shared: c.Shared, budget: c.Budget, refs: 1,
		charged: c.Min}
	initial, minRange := c.Min, c.Min
	if c.Shared {
		initial, minRange = m.max, m.max
	}
	if err := m.moveToNewRange(initial, minRange); err != nil {
		c.Budget.Give(c.Min)
		return nil, fmt.Errorf("memory: reserve %d bytes: %w", m.max, err)
	}
	return m, nil
}

// moveToNewRange moves the memory to a new range with size bytes committed. A range as large as the memory
// may ever become is best, as it then never moves again; where address space is short (a resource
// limit, strict overcommit) a smaller one, of at least the given bytes, must do. Where it is
// limited, a range takes no more than half of what there is, and three quarters if it must: the
// rest is for the process, which would end without.
func (m *Memory) moveToNewRange(size, minRange uint64) error {
	available := availableAddressSpace()
	if minRange > available-available/4 {
		return errNoSpace
	}
	for n := max(min(m.max, available/2), minRange); ; n = max(n/2, minRange) {
		b, err := reserve(n)
		if err == nil {
			if err = commit(b, 0, size); err == nil {
				copy(b, m.reserved[:m.committed])
				_ = release(m.reserved)
				m.reserved, m.committed = b, size
				return nil
			}
			_ = release(b)
		}
		if n == minRange {
			return err
		}
	}
}

// Allocate gives the memory to the first who asks. A second instance that defines a memory under
// the same allocator gets one that holds nothing: two modules must not see each other's bytes.
func (m *Memory) Allocate(_, _ uint64) experimental.LinearMemory {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.allocated || m.refs == 0 {
		return emptyMemory{}
	}
	m.allocated = true
	return (*linearMemory)(m)
}

// Retain takes another reference. It reports false, and takes none, when the last one has been
// released.
func (m *Memory) Retain() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refs == 0 {
		return false
	}
	m.refs++
	return true
}

// Release gives a reference back, and with the last one the memory. Whoever touches the guest's
// memory after that touches another's, or faults.
func (m *Memory) Release() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refs == 0 {
		return errors.New("memory: released more often than retained")
	}
	if m.refs--; m.refs > 0 {
		return nil
	}
	b := m.reserved
	m.reserved, m.committed = nil, 0
	m.budget.Give(m.charged)
	return release(b)
}

// linearMemory is the face of a Memory towards wazero.
type linearMemory Memory

// Reallocate grows the memory to size bytes. It returns nil, which the guest sees as a failed
// memory.grow, past the limit, past the budget, or when the system has no more memory to give.
func (l *linearMemory) Reallocate(size uint64) []byte {
	m := (*Memory)(l)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refs == 0 {
		return nil
	}
	if size > m.max { // which is the limit: what the module declares, wazero sees to
		m.budget.reportRefusal()
		return nil
	}
	chargedBefore := m.charged
	if !m.chargeGrowth(size) {
		return nil
	}
	if !m.grow(size) {
		m.budget.Give(m.charged - chargedBefore)
		m.charged = chargedBefore
		return nil
	}
	return m.reserved[:size:m.committed]
}

// chargeGrowth charges what is new of a memory of size bytes. Growing a shared memory is charged by the
// guest's threads.
func (m *Memory) chargeGrowth(size uint64) bool {
	if m.shared || size <= m.charged {
		return true
	}
	if !m.budget.Take(size - m.charged) {
		return false
	}
	m.charged = size
	return true
}

// grow commits the memory up to size bytes, in place wherever the reservation allows it.
func (m *Memory) grow(size uint64) bool {
	if size > uint64(len(m.reserved)) && m.moveToNewRange(size, size) != nil {
		return false
	}
	if size > m.committed {
		target := min(size+commitAhead, uint64(len(m.reserved)))
		if commit(m.reserved, m.committed, target) != nil {
			if target = size; commit(m.reserved, m.committed, target) != nil {
				return false
			}
		}
		m.committed = target
	}
	return true
}

func (*linearMemory) Free() {}

type emptyMemory struct{}

func (emptyMemory) Reallocate(size uint64) []byte {
	if size == 0 {
		return []byte{}
	}
	return nil
}

func (emptyMemory) Free() {}
