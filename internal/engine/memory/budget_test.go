package memory

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestBudgetWithConcurrentTakes(t *testing.T) {
	const bytes = 1000
	b := NewBudget(bytes)
	var taken atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range bytes {
				if b.Take(1) {
					taken.Add(1)
				}
			}
		})
	}
	all.Wait()
	if taken.Load() != bytes {
		t.Errorf("got %d bytes, want %d", taken.Load(), bytes)
	}
	for _, step := range []struct {
		give, take uint64
		want       bool
	}{
		{0, 0, true}, {0, 1, false}, {0, 1<<64 - 1, false},
		{10, 11, false}, {0, 10, true}, {bytes, bytes, true},
		// More than was taken enlarges nothing.
		{1 << 63, bytes + 1, false}, {0, bytes, true}, {1<<64 - 1, bytes + 1, false},
	} {
		b.Give(step.give)
		if got := b.Take(step.take); got != step.want {
			t.Errorf("%+v: got %v, want %v", step, got, step.want)
		}
	}
	if !(*Budget)(nil).Take(1 << 40) {
		t.Error("nil budget: got false, want true")
	}
}

// TestGrowthChargedToBudget grows a memory with a budget below its limit.
func TestGrowthChargedToBudget(t *testing.T) {
	b := NewBudget(10 * PageSize)
	m := newMemory(t, Config{Min: 2 * PageSize, Max: 100 * PageSize, Limit: 100 * PageSize,
		Budget: b})
	l := m.Allocate(2*PageSize, 100*PageSize)
	for _, step := range []struct {
		pages, left uint64
		want        bool
	}{{2, 8, true}, {5, 5, true}, {11, 5, false}, {10, 0, true}} {
		got := l.Reallocate(step.pages*PageSize) != nil
		if got != step.want {
			t.Errorf("%d pages: got %v, want %v", step.pages, got, step.want)
		}
		if !b.Take(step.left*PageSize) || b.Take(1) {
			t.Errorf("%d pages: got another rest of the budget, want %d", step.pages, step.left)
		}
		b.Give(step.left * PageSize)
	}
	mustRelease(t, m)
	if !b.Take(10 * PageSize) {
		t.Error("after Release: got less than 10 pages of the budget, want all of them")
	}
	if _, err := New(Config{Min: PageSize, Max: PageSize, Limit: PageSize, Budget: b}); err == nil {
		t.Error("nothing left of the budget: got a memory, want an error")
	}
}

func TestBudgetWithinAnother(t *testing.T) {
	outer := NewBudget(10)
	a, b := NewBudget(8), NewBudget(8)
	a.Within, b.Within = outer, outer
	var refusals int
	outer.Refused = func() { refusals++ }
	for i, step := range []struct {
		budget     *Budget
		give, take uint64
		want       bool
	}{
		{a, 0, 9, false}, {a, 0, 7, true}, {b, 0, 4, false}, {b, 0, 3, true}, {outer, 0, 1, false},
		{a, 2, 0, true}, {b, 0, 2, true}, {a, 100, 5, true}, {outer, 0, 1, false},
	} {
		step.budget.Give(step.give)
		if got := step.budget.Take(step.take); got != step.want {
			t.Errorf("step %d: got %v, want %v", i, got, step.want)
		}
	}
	if want := 3; refusals != want {
		t.Errorf("got %d refusals of the outer budget, want %d", refusals, want)
	}
}
