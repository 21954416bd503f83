package link

import "github.com/wasport/wasport/internal/component/binary"

// A budget bounds the cost of validation: to replace or compare the types of a component of a few
// bytes may take any time and memory. Tools stay far below it.
type budget struct {
	nodes, work int
}

// freeNodes is how many types and names any component may make by replacing resource types in
// others. Each takes some 200 bytes. freeWork is how many types it may have looked at. Programs of
// rustc with 50 imports make 1,000, and look at 20,000. More is allowed to a larger component, but
// not without end.
const (
	freeNodes = 1 << 15
	freeWork  = 1 << 23
	maxExtra  = 1 << 22
)

func newBudget(size int) *budget {
	return &budget{freeNodes + min(size/4, maxExtra), freeWork + min(size, maxExtra)}
}

// take charges for n types or names that are made.
func (b *budget) take(n, offset int) error {
	if b.nodes -= n; b.nodes < 0 {
		return binary.Errorf(binary.TooMuch, offset, "types that are made of others are too many")
	}
	return b.look(n, offset)
}

// look charges for n types that are looked at.
func (b *budget) look(n, offset int) error {
	if b.work -= n; b.work < 0 {
		return binary.Errorf(binary.TooMuch, offset, "types take too long to compare")
	}
	return nil
}
