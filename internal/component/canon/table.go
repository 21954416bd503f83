package canon

import "github.com/wasport/wasport/internal/component/wit"

// maxHandles is how many entries a table may have; one more is a trap.
const maxHandles = 65_536

// table has all that a component instance names by index. In WASI 0.2 these are handles of
// resources of all types, in one table. Index 0 is never used, and the index that was freed last is
// used next (CanonicalABI.md, "Table state"): guests see indices and depend on both.
//
// An entry is a struct and not an interface, so that a new handle costs no allocation. Another kind
// of entry (stream, future, subtask, waitable set) is another entryKind.
type table struct {
	entries []entry
	// free is the index that was freed last, 0 if there is none.
	free  uint32
	count int
}

type entryKind uint8

const (
	entryFree entryKind = iota
	entryOwn
	entryBorrow
)

type entry struct {
	resource *wit.Resource
	// scope is the call for which a borrow handle was lent.
	scope *task
	rep   uint32
	// lends counts the calls that the handle is lent to. In a free entry it is the index that was
	// freed before.
	lends uint32
	kind  entryKind
}

// add makes a handle and returns its index.
func (t *table) add(e entry) (uint32, error) {
	if t.count >= maxHandles {
		return 0, Trapf("the component instance has %d handles, more are not allowed", t.count)
	}
	t.count++
	if i := t.free; i != 0 {
		t.free = t.entries[i].lends
		t.entries[i] = e
		return i, nil
	}
	if len(t.entries) == 0 {
		t.entries = append(t.entries, entry{})
	}
	t.entries = append(t.entries, e)
	return uint32(len(t.entries) - 1), nil
}

// get returns the handle at an index, which must be one of the resource.
func (t *table) get(i uint32, r *wit.Resource) (*entry, error) {
	if uint64(i) >= uint64(len(t.entries)) || t.entries[i].kind == entryFree {
		return nil, Trapf("there is no handle %d, where one of %s is wanted", i, r.Name)
	}
	e := &t.entries[i]
	if e.resource != r {
		return nil, otherResource(i, e.resource, r)
	}
	return e, nil
}

func otherResource(i uint32, got, want *wit.Resource) error {
	if got.Name == want.Name {
		return Trapf("handle %d is of another resource type with the name %s", i, want.Name)
	}
	return Trapf("handle %d is of %s, where one of %s is wanted", i, got.Name, want.Name)
}

// remove removes a handle, which must be one of the resource and not be lent.
func (t *table) remove(i uint32, r *wit.Resource) (entry, error) {
	e, err := t.get(i, r)
	if err != nil {
		return entry{}, err
	}
	if e.lends != 0 {
		return entry{}, Trapf("handle %d of %s is lent to a call that has not returned", i, r.Name)
	}
	removed := *e
	*e = entry{lends: t.free}
	t.free = i
	t.count--
	return removed, nil
}
