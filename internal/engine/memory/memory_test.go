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

const gib = 1 << 30

func newMemory(t testing.TB, c Config) *Memory {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func release1(t testing.TB, m *Memory) {
	t.Helper()
	if err := m.Release(); err != nil {
		t.Fatal(err)
	}
}

// best returns the shortest of a few runs, which is what the code costs when the machine is not
// busy with something else.
func best(runs int, f func() time.Duration) time.Duration {
	d := f()
	for range runs - 1 {
		d = min(d, f())
	}
	return d
}

func TestMinimumAboveLimit(t *testing.T) {
	if _, err := New(Config{Min: 2 * PageSize, Max: 4 * PageSize, Limit: PageSize}); !errors.Is(err,
		ErrLimit) {
		t.Fatalf("got %v, want ErrLimit", err)
	}
}

func TestRefusedReservationIsAnError(t *testing.T) {
	for _, shared := range []bool{false, true} {
		if _, err := New(Config{Min: 1 << 60, Max: 1 << 60, Limit: 1 << 60,
			Shared: shared}); err == nil {
			t.Fatalf("an exabyte was given (shared: %v)", shared)
		}
	}
}

func TestGrowth(t *testing.T) {
	for _, shared := range []bool{false, true} {
		m := newMemory(t, Config{Min: PageSize, Max: 1000 * PageSize, Limit: 901 * PageSize,
			Shared: shared})
		l := m.Allocate(PageSize, 1000*PageSize)
		first := l.Reallocate(PageSize)
		if len(first) != PageSize {
			t.Fatalf("%d bytes at the start", len(first))
		}
		if shared && cap(first) != 901*PageSize {
			t.Fatalf("shared memory has a capacity of %d bytes: wazero could not grow it by itself",
				cap(first))
		}
		for pages := uint64(2); pages <= 901; pages++ {
			b := l.Reallocate(pages * PageSize)
			if uint64(len(b)) != pages*PageSize {
				t.Fatalf("%d bytes, want %d pages", len(b), pages)
			}
			if &b[0] != &first[0] {
				t.Fatalf("moved at %d pages", pages)
			}
			if last := &b[len(b)-1]; *last != 0 {
				t.Fatal("new memory is not zero")
			} else {
				*last = 1
			}
		}
		if l.Reallocate(902*PageSize) != nil {
			t.Error("grew past the limit")
		}
		release1(t, m)
	}
}

// TestGrowthIsCheap grows by single pages, which costs the same whatever is there already: copying
// would make ten times as many take a hundred times as long.
func TestGrowthIsCheap(t *testing.T) {
	grow := func(pages uint64) time.Duration {
		return best(20, func() time.Duration {
			m := newMemory(t, Config{Min: PageSize, Max: 4 * gib, Limit: 4 * gib})
			defer release1(t, m)
			l := m.Allocate(PageSize, 4*gib)
			start := time.Now()
			for n := range pages {
				if l.Reallocate((n+1)*PageSize) == nil {
					t.Fatalf("refused at %d pages", n+1)
				}
			}
			return time.Since(start)
		})
	}
	few, many := grow(100), grow(1000)
	t.Logf("100 times one page: %v, 1000 times: %v", few, many)
	if many > 30*few {
		t.Errorf("growing by 1000 pages took %v, want about ten times %v", many, few)
	}
}

// TestReservationIsCheap reserves 4 GiB, which takes about as long as reserving 1 MiB.
func TestReservationIsCheap(t *testing.T) {
	for _, shared := range []bool{false, true} {
		reserve := func(size uint64) time.Duration {
			return best(20, func() time.Duration {
				start := time.Now()
				m := newMemory(t, Config{Min: PageSize, Max: size, Limit: size, Shared: shared})
				d := time.Since(start)
				release1(t, m)
				return d
			})
		}
		little, much := reserve(1<<20), reserve(4*gib)
		t.Logf("shared: %v: 1 MiB reserved: %v, 4 GiB: %v", shared, little, much)
		if much > 20*little {
			t.Errorf("reserving 4 GiB (shared: %v) took %v, want about the %v of 1 MiB", shared,
				much, little)
		}
	}
}

func TestSecondInstanceGetsNothing(t *testing.T) {
	m := newMemory(t, Config{Min: PageSize, Max: PageSize, Limit: PageSize})
	defer release1(t, m)
	if b := m.Allocate(PageSize, PageSize).Reallocate(PageSize); b == nil {
		t.Fatal("the first got nothing")
	}
	if b := m.Allocate(PageSize, PageSize).Reallocate(PageSize); b != nil {
		t.Fatal("two instances have the same memory")
	}
}

func TestReferences(t *testing.T) {
	m := newMemory(t, Config{Min: PageSize, Max: PageSize, Limit: PageSize})
	l := m.Allocate(PageSize, PageSize)
	b := l.Reallocate(PageSize)
	if !m.Retain() {
		t.Fatal("Retain refused while the maker holds a reference")
	}
	l.Free()
	release1(t, m)
	b[0] = 1 // would fault, had the memory gone
	release1(t, m)
	if m.Retain() {
		t.Error("Retain succeeded after the last release")
	}
	if l.Reallocate(PageSize) != nil {
		t.Error("memory was given after the last release")
	}
	if m.Release() == nil {
		t.Error("a release too many passed")
	}
}

// growModule exports its memory (1 page, 65536 at most) as "memory", and "grow", which grows it by
// as many pages as it is told.
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
			defer release1(t, m)
			ctx, mod := instantiate(t, m, config)
			grow := mod.ExportedFunction("grow")
			for i := range uint64(99) {
				r, err := grow.Call(ctx, 1)
				if err != nil || r[0] != i+1 {
					t.Fatalf("memory.grow: %v, %v; want %d", r, err, i+1)
				}
			}
			if r, err := grow.Call(ctx, 1); err != nil || uint32(r[0]) != 0xffffffff {
				t.Fatalf("memory.grow past the limit: %v, %v", r, err)
			}
			if !mod.Memory().WriteByte(100*PageSize-1, 1) {
				t.Fatal("the last byte is out of range")
			}
			if mod.Memory().Size() != 100*PageSize {
				t.Fatalf("%d bytes", mod.Memory().Size())
			}
		})
	}
}
