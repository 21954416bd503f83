package memory

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// newPool makes a pool, and has the test fail if chunks of it are left in the end.
func newPool(t *testing.T) *Pool {
	t.Helper()
	if !slotsReusable {
		t.Log("memories have ranges of their own on this system")
	}
	p := &Pool{}
	t.Cleanup(func() {
		p.Close()
		for kind, chunks := range p.free {
			if len(chunks) > 0 {
				t.Errorf("slots of %d bytes: got %d chunks left, want none", slotSizes[kind],
					len(chunks))
			}
		}
		if p.numWarm != 0 {
			t.Errorf("got %d warm slots left, want none", p.numWarm)
		}
	})
	return p
}

// allocate returns the bytes of a memory and the function that grows it.
func allocate(t testing.TB, c Config) (*Memory, []byte, func(uint64) []byte) {
	t.Helper()
	m := newMemory(t, c)
	l := m.Allocate(0, 0)
	b := l.Reallocate(c.Min)
	if uint64(len(b)) != c.Min {
		t.Fatalf("got %d bytes, want %d", len(b), c.Min)
	}
	return m, b, l.Reallocate
}

// firstNonzero returns the index of the first byte that is not zero, or -1.
func firstNonzero(b []byte) int {
	return bytes.IndexFunc(b, func(r rune) bool { return r != 0 })
}

// TestReusedSlotIsZero fills memories to the last byte that they can grow to, releases them, and
// grows others over the same slots.
func TestReusedSlotIsZero(t *testing.T) {
	p := newPool(t)
	for _, pages := range []uint64{1, 2, 3, 7, 18} {
		t.Run(fmt.Sprint(pages), func(t *testing.T) {
			c := Config{Min: pages * PageSize, Max: vast, Limit: vast, Pool: p}
			for round := range 2 {
				for size := pages; size <= 2*pages+5; size += 3 {
					c.Shift = (c.Shift + 1344) % 4096 // and begins elsewhere than the last one
					c.Hot = Range{pages * 30_000, pages*30_000 + size*4000}
					m, _, grow := allocate(t, c)
					b := grow(size * PageSize)
					if i := firstNonzero(b); i >= 0 {
						t.Fatalf("round %d, %d pages: got %d at %d, want 0", round, size, b[i], i)
					}
					for i := range b {
						b[i] = 0xa5
					}
					mustRelease(t, m)
				}
			}
		})
	}
}

// TestGrowthBeyondSlot grows a memory page by page out of its slot. It keeps its bytes, and its
// neighbours keep theirs.
func TestGrowthBeyondSlot(t *testing.T) {
	c := Config{Min: 2 * PageSize, Max: 64 * PageSize, Limit: 40 * PageSize, Pool: newPool(t),
		Shift: 1344}
	var memories []*Memory
	var contents [][]byte
	for i := range 20 {
		m, _, grow := allocate(t, c)
		var b []byte
		for pages := uint64(2); pages <= 2+uint64(i%5)*9; pages++ {
			b = grow(pages * PageSize)
			copy(b[(pages-1)*PageSize:], bytes.Repeat([]byte{byte(i + 1)}, PageSize))
		}
		copy(b, bytes.Repeat([]byte{byte(i + 1)}, 2*PageSize))
		memories, contents = append(memories, m), append(contents, b)
		if got := grow(41 * PageSize); got != nil {
			t.Fatalf("beyond the limit: got %d bytes, want nil", len(got))
		}
	}
	for i, b := range contents {
		if n := bytes.Count(b, []byte{byte(i + 1)}); n != len(b) {
			t.Errorf("memory %d: got %d bytes of its own, want all %d", i, n, len(b))
		}
		mustRelease(t, memories[i])
	}
}

// TestMemoriesOfPoolAreApart checks that no memory begins within the guard of another.
func TestMemoriesOfPoolAreApart(t *testing.T) {
	p := newPool(t)
	var memories []*Memory
	for i := range 40 {
		m := newMemory(t, Config{Min: uint64(1+i%19) * PageSize, Max: vast, Limit: vast, Pool: p,
			Shift: uint64(i%64) * 64})
		defer mustRelease(t, m)
		memories = append(memories, m)
	}
	for i, m := range memories {
		for j, other := range memories {
			if i != j && overlaps(m.slot, other.slot) {
				t.Errorf("memories %d and %d have the same slot", i, j)
			}
		}
		if m.slot.chunk != nil && uint64(len(m.reserved)) > slotSizes[m.slot.chunk.kind]-slotGuard {
			t.Errorf("memory %d: got %d bytes, want a guard of %d", i, len(m.reserved), slotGuard)
		}
		if c := m.slot.chunk; c != nil {
			accessible, all := c.committed[m.slot.index], slotSizes[c.kind]
			if guard := all - accessible; guard < slotGuard-systemPage {
				t.Errorf("memory %d: got an inaccessible end of %d bytes, want %d less one page", i,
					guard, slotGuard)
			}
		}
	}
}

func overlaps(a, b slot) bool {
	return a.chunk != nil && a.chunk == b.chunk && a.index == b.index
}

// TestPoolOfSeveralGoroutines takes and gives slots at random, and finds another's bytes in none.
func TestPoolOfSeveralGoroutines(t *testing.T) {
	p := newPool(t)
	var all sync.WaitGroup
	for id := range 4 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(id)))
			var held []*Memory
			drop := func(i int) {
				m := held[i]
				if b := m.reserved[:m.size]; b[0] != byte(id+1) || b[len(b)-1] != byte(id+1) {
					t.Errorf("got %d and %d, want %d", b[0], b[len(b)-1], id+1)
				}
				if err := m.Release(); err != nil {
					t.Error(err)
				}
				held = append(held[:i], held[i+1:]...)
			}
			for range 300 {
				m, b, _ := allocate(t, Config{Min: uint64(1+random.IntN(8)) * PageSize, Max: vast,
					Limit: vast, Pool: p})
				if b[0] != 0 || b[len(b)-1] != 0 {
					t.Errorf("got %d and %d, want zeros", b[0], b[len(b)-1])
				}
				b[0], b[len(b)-1] = byte(id+1), byte(id+1)
				held = append(held, m)
				if len(held) > 20 {
					drop(random.IntN(len(held)))
				}
			}
			for len(held) > 0 {
				drop(0)
			}
		})
	}
	all.Wait()
}

func TestClosedPoolUnmapsWithLastMemory(t *testing.T) {
	p := &Pool{}
	c := Config{Min: PageSize, Max: vast, Limit: vast, Pool: p}
	m, b, _ := allocate(t, c)
	p.Close()
	b[0] = 1 // still mapped
	mustRelease(t, m)
	if n := len(p.free[0]); n != 0 {
		t.Errorf("got %d chunks after the last memory, want none", n)
	}
}
