package canon

// A Budget bounds the host's memory that a guest holds. Take charges bytes, or reports false.
type Budget interface {
	Take(bytes uint64) bool
	Give(bytes uint64)
}

const (
	// heldChunk is how many bytes of values are charged at once. So many are free: most calls pass
	// less, and are not charged at all.
	heldChunk = 32 << 10

	// handleCost is the charge for an entry of a table in bytes. An entry has 32, and the table
	// that it grew out of lives until the next garbage collection. The rest covers the resource of
	// the host behind the handle, which is made with a handle and has none of its own.
	handleCost = 256

	// firstHandles is how many entries a table has at first. They are free.
	firstHandles = 16
)

// hold charges for n bytes of values that a call copies out of the guest's memory. Calls of
// components within each other hold the values of all of them, so a limit for each call alone does
// not bound the memory.
func (g *Guest) hold(n int) error {
	g.held += n
	more := g.held - g.charged - heldChunk
	if more <= 0 {
		return nil
	}
	more = max(more, heldChunk)
	if g.Budget != nil && !g.Budget.Take(uint64(more)) {
		return Trapf("out of memory: the values that are passed in calls are too large")
	}
	g.charged += more
	return nil
}

// release gives back what was held since held was mark.
func (g *Guest) release(mark int) {
	g.held = mark
	if over := g.charged - max(mark-heldChunk, 0); over > 0 {
		g.charged -= over
		if g.Budget != nil {
			g.Budget.Give(uint64(over))
		}
	}
}

// addHandle makes a handle in the instance's table and returns its index.
func (in *Instance) addHandle(e entry) (uint32, error) {
	t := &in.table
	if t.free == 0 && len(t.entries) == cap(t.entries) && t.count < maxHandles {
		if err := in.growTable(); err != nil {
			return 0, err
		}
	}
	return t.add(e)
}

// growTable doubles the room of the table, and charges for it.
func (in *Instance) growTable() error {
	t := &in.table
	more := max(cap(t.entries), firstHandles)
	if b := in.guest.Budget; b != nil && len(t.entries) > 0 && !b.Take(uint64(more)*handleCost) {
		return Trapf("out of memory: the component instance has %d handles", t.count)
	}
	t.entries = append(make([]entry, 0, len(t.entries)+more), t.entries...)
	return nil
}
