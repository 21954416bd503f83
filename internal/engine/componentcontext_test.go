package engine

import (
	"bytes"
	"context"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// growing is a memory of wazero's, which moves as it grows.
type growing struct {
	api.Memory
	bytes []byte
}

func (m *growing) Size() uint32 { return uint32(len(m.bytes)) }

func (m *growing) Read(offset, n uint32) ([]byte, bool) { return m.bytes[offset:][:n], true }

func (m *growing) Grow(uint32) (uint32, bool) { return uint32(len(m.bytes) >> 16), true }

// TestViewFollowsTheMemory writes by a view that is asked for before and after the memory grows.
func TestViewFollowsTheMemory(t *testing.T) {
	m := &growing{bytes: make([]byte, pageSize)}
	c := &coreMemory{memory: m}
	for _, pages := range []int{1, 1, 2, 2, 5} {
		if size := pages * pageSize; size != len(m.bytes) {
			m.bytes = bytes.Clone(append(m.bytes, make([]byte, size-len(m.bytes))...))
		}
		view := c.View()
		if len(view) != len(m.bytes) {
			t.Fatalf("got a view of %d bytes, want %d", len(view), len(m.bytes))
		}
		if view[0]++; m.bytes[0] != view[0] {
			t.Errorf("%d pages: got a view of the memory of before", pages)
		}
	}
	m.bytes = nil
	if view := c.View(); len(view) != 0 {
		t.Errorf("got a view of %d bytes, want none of an empty memory", len(view))
	}
}

// TestGuestContextFindsValues looks keys up that the context has, and others in between.
func TestGuestContextFindsValues(t *testing.T) {
	type key struct{ name string }
	type other struct{}
	g := new(componentGuest)
	c := &guestContext{Context: context.WithValue(context.Background(), key{"a"}, 1), guest: g}
	for range 3 {
		for _, row := range []struct{ key, want any }{
			{other{}, nil}, {other{}, nil}, {key{"b"}, nil}, {key{"a"}, 1}, {guestKey{}, g},
			{key{"a"}, 1},
		} {
			if got := c.Value(row.key); got != row.want {
				t.Errorf("%T %v: got %v, want %v", row.key, row.key, got, row.want)
			}
		}
	}
	if n := testing.AllocsPerRun(100, func() { c.Value(other{}) }); n != 0 {
		t.Errorf("got %v allocations for a key that is absent again, want none", n)
	}
}
