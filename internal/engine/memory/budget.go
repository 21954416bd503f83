package memory

import "sync/atomic"

// A Budget bounds the host memory that one guest holds, with all of its threads. It may be used
// from several goroutines. A nil *Budget has no bounds; the zero value has nothing to give.
type Budget struct {
	limit uint64 // In bytes.
	used  atomic.Uint64

	// Within, unless nil, is a budget that everything is charged to as well. It is set before the
	// first use.
	Within *Budget

	// Refused, unless nil, is called each time that the budget refuses memory. It is set before the
	// first use, must be safe for concurrent use, and must not block.
	Refused func()
}

// NewBudget makes a budget, in bytes.
func NewBudget(bytes uint64) *Budget { return &Budget{limit: bytes} }

// Init sets the limit of a budget that has not been used, in bytes.
func (b *Budget) Init(bytes uint64) { b.limit = bytes }

// Take charges so many bytes. It reports false, and charges nothing, if fewer are left.
func (b *Budget) Take(bytes uint64) bool {
	if b == nil {
		return true
	}
	for {
		used := b.used.Load()
		if bytes > b.limit-used {
			b.reportRefusal()
			return false
		}
		if b.used.CompareAndSwap(used, used+bytes) {
			break
		}
	}
	if !b.Within.Take(bytes) {
		b.subtract(bytes)
		return false
	}
	return true
}

func (b *Budget) reportRefusal() {
	if b != nil && b.Refused != nil {
		b.Refused()
	}
}

// Give returns so many bytes that were taken before. Bytes that were not taken are ignored: a count
// below zero would make every later Take succeed.
func (b *Budget) Give(bytes uint64) {
	if b != nil {
		b.Within.Give(b.subtract(bytes))
	}
}

// subtract returns how many of the bytes had been taken.
func (b *Budget) subtract(bytes uint64) uint64 {
	for {
		used := b.used.Load()
		taken := min(bytes, used)
		if b.used.CompareAndSwap(used, used-taken) {
			return taken
		}
	}
}
