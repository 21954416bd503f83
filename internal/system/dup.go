package system

import "syscall"

// Dup makes another descriptor of the same open file description, as dup(2) does, with the lowest
// free number that is not below least (fcntl(2), F_DUPFD).
func (g *Guest) Dup(fd, least int32) (int32, error) {
	n, err := g.table.dup(fd, least)
	g.reportIfFull(err)
	return n, err
}

// DupTo is Dup with the number to, as dup2(2) does. It closes the descriptor that had the number.
// If both are the same number it does nothing. A number beyond Config.MaxDescriptors is EBADF.
func (g *Guest) DupTo(fd, to int32) error {
	old, err := g.table.dupTo(fd, to)
	g.reportIfFull(err)
	if err != nil || old == nil {
		return err
	}
	old.close()
	g.wakePollers()
	return nil
}

// dup copies a descriptor to the first free slot from least on.
func (t *table) dup(fd, least int32) (int32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d, err := t.lookup(fd)
	switch {
	case err != nil:
		return -1, err
	case least < 0 || int(least) >= t.maxOpen:
		return -1, syscall.EINVAL
	case t.numOpen >= t.maxOpen:
		return -1, syscall.EMFILE
	}
	n := max(int(least), t.lowestFree)
	for slots := t.allSlots(); n < len(slots) && slots[n].Load() != nil; {
		n++
	}
	if n >= t.maxOpen {
		return -1, syscall.EMFILE
	}
	t.put(n, d.dup())
	return int32(n), nil
}

// dupTo copies a descriptor to a slot, and returns the descriptor that was there.
func (t *table) dupTo(fd, to int32) (old *descriptor, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d, err := t.lookup(fd)
	switch {
	case err != nil:
		return nil, err
	case to < 0 || int(to) >= t.maxOpen:
		return nil, syscall.EBADF
	case fd == to:
		return nil, nil
	}
	if old, _ = t.lookup(to); old == nil && t.numOpen >= t.maxOpen {
		return nil, syscall.EMFILE
	}
	t.put(int(to), d.dup())
	if old != nil {
		t.numOpen--
		t.generation.Add(1)
	}
	return old, nil
}

// grow makes at least n slots, where n is not above maxOpen. mu is held.
func (t *table) grow(n int) []slot {
	if t.first == nil && n <= len(t.firstArray) {
		t.first = t.firstArray[:min(len(t.firstArray), t.maxOpen)]
		t.slots.Store(&t.first)
		return t.first
	}
	slots := t.allSlots()
	longer := make([]slot, min(max(n, 2*len(slots)), t.maxOpen))
	for i := range slots {
		longer[i].Store(slots[i].Load())
	}
	t.slots.Store(&longer)
	return longer
}

// put fills a slot below maxOpen, and counts its descriptor. mu is held.
func (t *table) put(n int, d *descriptor) {
	slots := t.allSlots()
	if n >= len(slots) {
		slots = t.grow(n + 1)
	}
	slots[n].Store(d)
	t.used = max(t.used, n+1)
	t.numOpen++
}
