// Package memory allocates the linear memory of guests. It reserves address space at once, commits
// pages as the memory grows (mmap(2) and mprotect(2), VirtualAlloc on Windows), and unmaps it when
// the last reference is released. Pages become resident when they are touched. On Linux, small
// memories of an engine share ranges; see Pool.
//
// Windows charges committed pages against the memory and paging files of the whole system, whether
// they are touched or not. They are committed before a guest can reach them all the same: the
// kernel does not commit pages for a system call that writes to them.
//
// The package implements wazero's allocator interface. The engine decides on the limits and on the
// references.
//
// Memory, Pool and Budget may be used from several goroutines. Only Budget, which has no lock, and
// Pool, whose lock is a leaf, are called with Memory.mu held.
package memory

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero/experimental"
)

// PageSize is the size of a WebAssembly page, in bytes.
const PageSize = 1 << 16

// ErrLimit is the error of a memory with a minimum above the limit or the budget.
var ErrLimit = errors.New("memory: the minimum is above the limit")

// errNoSpace is the error of a range that RLIMIT_AS (getrlimit(2)) leaves no room for.
var errNoSpace = errors.New("the limit of address space, RLIMIT_AS, leaves too little")

// commitAhead is the number of bytes that are committed beyond the size asked for. A guest that
// grows page by page then costs one system call in sixteen pages. It is less than a huge page, with
// which the kernel would make untouched pages resident (madvise(2), MADV_HUGEPAGE).
const commitAhead = 16 * PageSize

// Config describes the memory that a module declares or imports. All sizes are in bytes.
type Config struct {
	// Min is the initial size.
	Min uint64

	// Max is the maximum that the module declares.
	Max uint64

	// Limit is the maximum that the guest is granted. The smaller of Max and Limit applies.
	Limit uint64

	// Reserve bounds the address space that is reserved before the memory needs it; 0 = no bound.
	// A memory that grows beyond it moves. It has no effect on a shared memory, which cannot.
	Reserve uint64

	// Shared is set for a memory that threads share. It never moves. When one thread ends, wazero
	// drops the memory's allocator, and the other threads then grow the memory without calling it.
	// So each growth must be granted by Grant first.
	Shared bool

	// Ungranted is set for a shared memory that may grow without Grant. All of it is committed from
	// the start.
	Ungranted bool

	// Pool, unless nil, supplies a small memory that is not shared with a slot, if Reserve is 0.
	// The memory moves when it grows beyond that.
	Pool *Pool

	// Shift is where in a page of the system the memory begins if it gets a slot; see Place.
	Shift uint64

	// Hot is where every guest touches the memory. The slot may keep these pages for the next guest
	// with the same Shift and Hot.
	Hot Range

	// Budget is charged for the memory: for all of one that is not shared, as it grows, and for the
	// minimum of a shared one.
	Budget *Budget
}

// A Memory is the linear memory of one guest. It is an experimental.MemoryAllocator for the one
// instance that defines the memory.
//
// New returns it with one reference, and the release of the last reference unmaps it. wazero calls
// Free while other threads and system calls of the guest still use the memory. So Free does
// nothing.
type Memory struct {
	max    uint64 // In bytes.
	ahead  uint64 // Config.Reserve, or max.
	shift  uint64 // Config.Shift.
	hot    Range  // hotPages of Config.Hot.
	shared bool
	budget *Budget

	// mu protects the fields below.
	mu   sync.Mutex
	refs int

	// allocated is set once Allocate has returned the memory.
	allocated bool

	// slot is the zero value unless reserved is one of a pool.
	slot slot

	// reserved is the whole reserved range. The first committed bytes of it are accessible.
	reserved  []byte
	committed uint64

	// size is the size that the guest sees. It is not known of a shared memory.
	size uint64

	// granted is the size that a shared memory has when all growth that was granted has happened.
	granted uint64

	// charged is the number of bytes charged to budget.
	charged uint64
}

// New reserves memory, and commits its minimum. The error wraps ErrLimit, or the error of the
// system call that failed.
func New(c Config) (*Memory, error) {
	if c.Min > c.Limit {
		return nil, fmt.Errorf("%w: %d bytes, %d allowed", ErrLimit, c.Min, c.Limit)
	}
	if !c.Budget.Take(c.Min) {
		return nil, fmt.Errorf("%w: %d bytes, beside what the guest holds already", ErrLimit, c.Min)
	}
	m := &Memory{max: max(c.Min, min(c.Max, c.Limit)), ahead: c.Reserve, shared: c.Shared,
		budget: c.Budget, refs: 1, granted: c.Min, charged: c.Min, shift: c.Shift % systemPage}
	m.hot = hotPages(c.Hot, m.shift)
	if m.ahead == 0 {
		m.ahead = m.max
	}
	initial, minRange := c.Min, c.Min
	if c.Shared {
		minRange = m.max
	}
	if c.Ungranted {
		initial = m.max
	}
	if !c.Shared && c.Reserve == 0 && m.moveToSlot(c.Pool, c.Min) {
		return m, nil
	}
	if err := m.moveToNewRange(initial, minRange); err != nil {
		c.Budget.Give(c.Min)
		return nil, fmt.Errorf("memory: reserve %d bytes: %w", m.max, err)
	}
	return m, nil
}

// moveToSlot gives a new memory a slot. It reports false if the pool has none for it.
func (m *Memory) moveToSlot(p *Pool, size uint64) bool {
	s, ok := p.take(size, m.hot)
	if !ok {
		return false
	}
	m.slot, m.reserved = s, s.memory(m.shift)
	if m.commit(size) != nil {
		_ = m.giveRange()
		return false
	}
	return true
}

// giveRange gives back the range that the memory had.
func (m *Memory) giveRange() error {
	b, s := m.reserved, m.slot
	m.reserved, m.committed, m.slot = nil, 0, slot{}
	if s.chunk != nil {
		return s.give(m.hot)
	}
	return release(b)
}

// zeros is not a variable of copyTouched: that would double the stack of a guest that grows.
var zeros [4 << 10]byte

// copyTouched copies src to bytes that are zero. It touches no page of dst that stays zero.
func copyTouched(dst, src []byte) {
	for len(src) > 0 {
		n := min(len(zeros), len(src))
		if !bytes.Equal(src[:n], zeros[:n]) {
			copy(dst, src[:n])
		}
		dst, src = dst[n:], src[n:]
	}
}

// moveToNewRange moves the memory to a new range with size bytes committed.
//
//  1. The range has room for the maximum if possible, and if Config.Reserve allows it. Then the
//     memory never moves again. Otherwise it doubles with each move.
//  2. With a limit of address space (RLIMIT_AS) it takes at most half of the space that is left.
//     The process needs the rest, and Go's runtime ends it when there is none.
//  3. Where the system refuses that (strict overcommit, proc_sys_vm(5)), it halves the range until
//     minRange.
//  4. It fails if minRange is more than three quarters of the space that is left.
func (m *Memory) moveToNewRange(size, minRange uint64) error {
	available := availableAddressSpace()
	if minRange > available-available/4 {
		return errNoSpace
	}
	ahead := m.ahead
	if m.committed > 0 {
		ahead = max(ahead, 2*size)
	}
	for n := max(min(m.max, available/2, ahead), minRange); ; n = max(n/2, minRange) {
		b, err := reserve(n)
		if err == nil {
			if err = commit(b, 0, size); err == nil {
				copyTouched(b, m.reserved[:m.committed])
				_ = m.giveRange()
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

// Allocate returns the memory on its first call, and an empty memory on every other. A second
// instance with the same allocator must not see the bytes of the first. The arguments, which come
// from the module, are ignored.
func (m *Memory) Allocate(_, _ uint64) experimental.LinearMemory {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.allocated || m.refs == 0 {
		return emptyMemory{}
	}
	m.allocated = true
	return (*linearMemory)(m)
}

// Retain takes another reference. It reports false, and takes none, after the last has been
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

// Release releases a reference, and unmaps the memory with the last. An access to the memory after
// that faults, or reaches bytes that have been mapped there since. It fails if there is no
// reference.
func (m *Memory) Release() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refs == 0 {
		return errors.New("memory: released more often than retained")
	}
	if m.refs--; m.refs > 0 {
		return nil
	}
	m.budget.Give(m.charged)
	return m.giveRange()
}

// Grant commits so many bytes more of a shared memory, before it grows by them. It reports false if
// the system refuses. Beyond the maximum it commits nothing; there wazero refuses the growth.
func (m *Memory) Grant(bytes uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refs == 0 || !m.grow(min(m.granted+bytes, m.max)) {
		return false
	}
	m.granted += bytes
	return true
}

// Revoke takes back bytes that Grant granted, of a growth that wazero refused. They stay committed.
func (m *Memory) Revoke(bytes uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.granted -= bytes
}

// Shared returns the whole range of a shared memory. The bytes beyond the size that the guest sees
// must not be touched.
func (m *Memory) Shared() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reserved
}

// View calls f with the memory, or with the whole range of a shared one. The memory neither moves
// nor is unmapped before f returns. View reports false, and does not call f, if it is unmapped.
func (m *Memory) View(f func([]byte)) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refs == 0 {
		return false
	}
	if m.shared {
		f(m.reserved)
	} else {
		f(m.reserved[:m.size])
	}
	return true
}

// linearMemory implements wazero's experimental.LinearMemory.
type linearMemory Memory

// Reallocate grows the memory to size bytes. It returns nil if the limit, the budget or the system
// refuses; memory.grow then returns -1 to the guest.
func (l *linearMemory) Reallocate(size uint64) []byte {
	m := (*Memory)(l)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refs == 0 {
		return nil
	}
	if size > m.max {
		// wazero checks the module's own maximum, so that the limit is the reason.
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
	m.size = size
	if m.shared {
		return m.reserved[:size] // The capacity is what wazero grows it to by itself.
	}
	return m.reserved[:size:m.committed]
}

// chargeGrowth charges the bytes up to size that have not been charged. For a shared memory it
// charges nothing: there the guest's threads call interrupt.Charge.
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

// grow commits the memory up to size bytes. It moves the memory only if the reserved range is too
// small.
func (m *Memory) grow(size uint64) bool {
	if size > uint64(len(m.reserved)) && m.moveToNewRange(size, size) != nil {
		return false
	}
	if size > m.committed {
		target := min(size+commitAhead, uint64(len(m.reserved)))
		if m.commit(target) != nil && m.commit(size) != nil {
			return false
		}
	}
	return true
}

// commit makes the first size bytes of the range accessible, and sets committed.
func (m *Memory) commit(size uint64) error {
	if m.slot.chunk != nil {
		end, err := m.slot.commit(m.shift + size)
		if err == nil {
			m.committed = min(end-m.shift, uint64(len(m.reserved)))
		}
		return err
	}
	err := commit(m.reserved, m.committed, size)
	if err == nil {
		m.committed = size
	}
	return err
}

// Free does nothing; see Memory.
func (*linearMemory) Free() {}

// emptyMemory is a memory of 0 bytes that does not grow.
type emptyMemory struct{}

func (emptyMemory) Reallocate(size uint64) []byte {
	if size == 0 {
		return []byte{}
	}
	return nil
}

func (emptyMemory) Free() {}
