package memory

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// vast is a size that no test touches whole: 4 GiB, or 256 MiB for a process of 32 bits.
const vast = 1 << (28 + 4*(^uintptr(0)>>63))

func newMemory(t testing.TB, c Config) *Memory {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustRelease(t testing.TB, m *Memory) {
	t.Helper()
	if err := m.Release(); err != nil {
		t.Fatal(err)
	}
}

// forEachKind runs a test for a memory that is not shared and for a shared one.
func forEachKind(t *testing.T, test func(t *testing.T, shared bool)) {
	t.Run("unshared", func(t *testing.T) { test(t, false) })
	t.Run("shared", func(t *testing.T) { test(t, true) })
}

// shortest returns the shortest of several runs, the one least disturbed by other programs.
func shortest(runs int, f func() time.Duration) time.Duration {
	d := f()
	for range runs - 1 {
		d = min(d, f())
	}
	return d
}

func TestMinimumAboveLimit(t *testing.T) {
	_, err := New(Config{Min: 2 * PageSize, Max: 4 * PageSize, Limit: PageSize})
	if !errors.Is(err, ErrLimit) {
		t.Fatalf("got %v, want ErrLimit", err)
	}
}

func TestRefusedReservationIsAnError(t *testing.T) {
	forEachKind(t, func(t *testing.T, shared bool) {
		c := Config{Min: 1 << 60, Max: 1 << 60, Limit: 1 << 60, Shared: shared}
		if _, err := New(c); err == nil {
			t.Fatal("an exabyte: got a memory, want an error")
		}
	})
}

func TestGrowthUpToLimit(t *testing.T) {
	forEachKind(t, func(t *testing.T, shared bool) {
		m := newMemory(t, Config{Min: PageSize, Max: 1000 * PageSize, Limit: 901 * PageSize,
			Shared: shared})
		l := m.Allocate(PageSize, 1000*PageSize)
		first := l.Reallocate(PageSize)
		if len(first) != PageSize {
			t.Fatalf("got %d bytes at the start, want %d", len(first), PageSize)
		}
		if shared && cap(first) != 901*PageSize {
			t.Fatalf("got a capacity of %d bytes, want the limit, up to which wazero grows it",
				cap(first))
		}
		for pages := uint64(2); pages <= 901; pages++ {
			b := l.Reallocate(pages * PageSize)
			if uint64(len(b)) != pages*PageSize {
				t.Fatalf("got %d bytes, want %d pages", len(b), pages)
			}
			if &b[0] != &first[0] {
				t.Fatalf("%d pages: got another address, want growth in place", pages)
			}
			if last := &b[len(b)-1]; *last != 0 {
				t.Fatalf("got %d in new memory, want 0", *last)
			} else {
				*last = 1
			}
		}
		if l.Reallocate(902*PageSize) != nil {
			t.Error("beyond the limit: got memory, want nil")
		}
		mustRelease(t, m)
	})
}

// TestGrantedPagesAreCommitted grants growth of a shared memory, also from two threads at once and
// beyond the maximum, and writes to the last byte each time.
func TestGrantedPagesAreCommitted(t *testing.T) {
	const most = 1000
	m := newMemory(t, Config{Min: PageSize, Max: most * PageSize, Limit: most * PageSize,
		Shared: true})
	whole := m.Shared()
	if len(whole) != most*PageSize {
		t.Fatalf("got a range of %d bytes, want that of the maximum", len(whole))
	}
	for _, step := range []struct {
		grant, revoke, reaches uint64 // in pages
	}{
		{0, 0, 1}, {40, 0, 41}, {40, 0, 81}, {1 << 32, 1 << 32, most}, {100, 0, 181},
	} {
		if !m.Grant(step.grant * PageSize) {
			t.Fatalf("%+v: got no growth, want it", step)
		}
		whole[step.reaches*PageSize-1] = 1 // Faults if the memory is not committed.
		m.Revoke(step.revoke * PageSize)
	}
	mustRelease(t, m)
	if m.Grant(PageSize) {
		t.Error("Grant after the last release: got growth, want none")
	}
}

func TestUngrantedMemoryIsCommitted(t *testing.T) {
	m := newMemory(t, Config{Min: PageSize, Max: 1000 * PageSize, Limit: 900 * PageSize,
		Shared: true, Ungranted: true})
	m.Shared()[900*PageSize-1] = 1 // Faults if the memory is not committed.
	mustRelease(t, m)
}

// TestGrowthByPagesIsLinear grows by single pages. Copying would make ten times as many take a
// hundred times as long.
func TestGrowthByPagesIsLinear(t *testing.T) {
	grow := func(pages uint64) time.Duration {
		return shortest(20, func() time.Duration {
			m := newMemory(t, Config{Min: PageSize, Max: vast, Limit: vast})
			defer mustRelease(t, m)
			l := m.Allocate(PageSize, vast)
			start := time.Now()
			for n := range pages {
				if l.Reallocate((n+1)*PageSize) == nil {
					t.Fatalf("%d pages: got nil, want memory", n+1)
				}
			}
			return time.Since(start)
		})
	}
	few, many := grow(100), grow(1000)
	t.Logf("100 times one page: %v, 1000 times: %v", few, many)
	if many > 30*few {
		t.Errorf("growing by 1000 pages: got %v, want about ten times %v", many, few)
	}
}

// TestReservationCostIndependentOfSize compares reserving much and 1 MiB.
func TestReservationCostIndependentOfSize(t *testing.T) {
	forEachKind(t, func(t *testing.T, shared bool) {
		reserve := func(size uint64) time.Duration {
			return shortest(20, func() time.Duration {
				start := time.Now()
				m := newMemory(t, Config{Min: PageSize, Max: size, Limit: size, Shared: shared})
				d := time.Since(start)
				mustRelease(t, m)
				return d
			})
		}
		little, much := reserve(1<<20), reserve(vast)
		t.Logf("1 MiB reserved: %v, vast: %v", little, much)
		if much > 20*little {
			t.Errorf("reserving %d bytes: got %v, want about the %v of 1 MiB", uint64(vast), much,
				little)
		}
	})
}

func TestSecondInstanceGetsEmptyMemory(t *testing.T) {
	m := newMemory(t, Config{Min: PageSize, Max: PageSize, Limit: PageSize})
	defer mustRelease(t, m)
	if b := m.Allocate(PageSize, PageSize).Reallocate(PageSize); b == nil {
		t.Fatal("first instance: got nil, want memory")
	}
	if b := m.Allocate(PageSize, PageSize).Reallocate(PageSize); b != nil {
		t.Fatal("second instance: got memory, want nil")
	}
}

func TestReferencesUntilLastRelease(t *testing.T) {
	m := newMemory(t, Config{Min: PageSize, Max: PageSize, Limit: PageSize})
	l := m.Allocate(PageSize, PageSize)
	b := l.Reallocate(PageSize)
	if !m.Retain() {
		t.Fatal("Retain with one reference: got false, want true")
	}
	l.Free()
	mustRelease(t, m)
	b[0] = 1 // Faults if the memory is unmapped.
	mustRelease(t, m)
	if m.Retain() {
		t.Error("Retain after the last release: got true, want false")
	}
	if l.Reallocate(PageSize) != nil {
		t.Error("Reallocate after the last release: got memory, want nil")
	}
	if m.Release() == nil {
		t.Error("Release after the last: got nil, want an error")
	}
}

// growModule exports "memory", of 1 to 65536 pages, and "grow", which grows it by so many pages.
var growModule = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x06\x01\x60\x01\x7f\x01\x7f" + // type: (i32) -> i32
	"\x03\x02\x01\x00" + // one function
	"\x05\x06\x01\x01\x01\x80\x80\x04" + // memory 1 65536
	"\x07\x11\x02\x04grow\x00\x00\x06memory\x02\x00" +
	"\x0a\x08\x01\x06\x00\x20\x00\x40\x00\x0b") // local.get 0; memory.grow

func instantiate(t *testing.T, m *Memory, config wazero.RuntimeConfig) (context.Context,
	api.Module) {
	t.Helper()
	ctx := experimental.WithMemoryAllocator(context.Background(), m)
	rt := wazero.NewRuntimeWithConfig(ctx, config)
	t.Cleanup(func() { _ = rt.Close(ctx) })
	mod, err := rt.InstantiateWithConfig(ctx, growModule, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatal(err)
	}
	return ctx, mod
}

func TestGuestGrowsToItsLimit(t *testing.T) {
	for name, config := range map[string]wazero.RuntimeConfig{
		"compiler":    wazero.NewRuntimeConfig(),
		"interpreter": wazero.NewRuntimeConfigInterpreter(),
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory(t, Config{Min: PageSize, Max: 65536 * PageSize, Limit: 100 * PageSize})
			defer mustRelease(t, m)
			ctx, mod := instantiate(t, m, config)
			grow := mod.ExportedFunction("grow")
			for i := range uint64(99) {
				r, err := grow.Call(ctx, 1)
				if err != nil || r[0] != i+1 {
					t.Fatalf("memory.grow: got %v, %v; want %d", r, err, i+1)
				}
			}
			if r, err := grow.Call(ctx, 1); err != nil || uint32(r[0]) != 0xffffffff {
				t.Fatalf("memory.grow beyond the limit: got %v, %v; want -1", r, err)
			}
			if !mod.Memory().WriteByte(100*PageSize-1, 1) {
				t.Fatal("write to the last byte: got false, want true")
			}
			if size := mod.Memory().Size(); size != 100*PageSize {
				t.Fatalf("got %d bytes, want %d", size, 100*PageSize)
			}
		})
	}
}

func TestReservedMemory(t *testing.T) {
	for _, c := range []struct {
		name                string
		min, limit, reserve uint64
		shared              bool
		reserved, afterMove int
	}{
		{"all", 1, 64, 0, false, 64, 64},
		{"less", 1, 64, 4, false, 4, 64},
		{"less than the minimum", 8, 64, 4, false, 8, 64},
		{"more than the maximum", 1, 64, 100, false, 64, 64},
		{"shared", 1, 64, 4, true, 64, 64},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemory(t, Config{Min: c.min * PageSize, Max: 64 * PageSize,
				Limit: c.limit * PageSize, Reserve: c.reserve * PageSize, Shared: c.shared})
			if got := len(m.reserved) / PageSize; got != c.reserved {
				t.Errorf("got %d pages reserved, want %d", got, c.reserved)
			}
			l := m.Allocate(0, 0)
			if c.shared {
				return
			}
			b := l.Reallocate(c.min * PageSize)
			b[0] = 7
			moves, last := 0, &b[0]
			for n := c.min + 1; n <= c.limit; n++ {
				if b = l.Reallocate(n * PageSize); b == nil || b[0] != 7 {
					t.Fatalf("%d pages: got memory without its bytes", n)
				}
				if &b[0] != last {
					moves, last = moves+1, &b[0]
				}
			}
			if got := len(m.reserved) / PageSize; got != c.afterMove || moves > 4 {
				t.Errorf("got %d pages reserved after %d moves, want %d after 4 at most", got,
					moves, c.afterMove)
			}
		})
	}
}
