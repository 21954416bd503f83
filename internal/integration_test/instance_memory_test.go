package integration_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport"
)

// TestManyFunctionsWithinMemoryLimit calls more functions than keep their stacks, with deep stacks,
// in an instance with little memory.
func TestManyFunctionsWithinMemoryLimit(t *testing.T) {
	var limits []string
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{
		MaxMemory: 1 << 20, OnLimit: func(name string, _ int) { limits = append(limits, name) },
	})
	if n := mustCall(t, i, "grow", 100); n != math.MaxUint32 || !slices.Contains(limits, "memory") {
		t.Errorf("got %#x and limits %q, want a growth that is refused", n, limits)
	}
	names := []string{"empty", "count", "started", "errno", "open", "malloc", "deep", "grow"}
	for depth := uint64(1); depth < 2_000; depth *= 4 {
		if got := mustCall(t, i, "deep", depth); got != depth {
			t.Errorf("got %d, want %d", got, depth)
		}
		for _, name := range names {
			i.Call(context.Background(), name)
			i.Call(context.Background(), name, 0)
		}
	}
	if i.Err() != nil {
		t.Errorf("got %v, want an instance that lives", i.Err())
	}
}

// TestMemoryIsChecked reads and writes at every edge of a memory that grows in between.
func TestMemoryIsChecked(t *testing.T) {
	const page = 1 << 16
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	for pages := uint64(1); pages <= 3; pages++ {
		size := pages * page
		if got := i.Memory().Size(); got != size {
			t.Fatalf("got a size of %d, want %d", got, size)
		}
		for _, test := range []struct {
			offset, length uint64
			want           bool
		}{
			{0, 0, true}, {size, 0, true}, {size - 1, 1, true}, {0, size, true},
			{size, 1, false}, {size + 1, 0, false}, {size - 1, 2, false}, {1, size, false},
			{0, math.MaxUint64, false}, {math.MaxUint64, 1, false}, {math.MaxUint64, 0, false},
			{1 << 32, 1, false}, {1 << 63, 1 << 63, false}, {16, math.MaxUint64 - 8, false},
		} {
			b, err := i.Memory().Read(test.offset, test.length)
			var invalid *wasport.RangeError
			if (err == nil) != test.want || err != nil && !errors.As(err, &invalid) ||
				test.want && uint64(len(b)) != test.length {
				t.Errorf("read %d at %d: got %d bytes, %v; want them: %v", test.length, test.offset,
					len(b), err, test.want)
			}
			if test.length > 4*page {
				continue
			}
			data := bytes.Repeat([]byte{byte(pages)}, int(test.length))
			err = i.Memory().Write(test.offset, data)
			into := make([]byte, len(data))
			intoErr := i.Memory().ReadInto(into, test.offset)
			if (err == nil) != test.want || (intoErr == nil) != test.want ||
				test.want && !bytes.Equal(into, data) {
				t.Errorf("write %d at %d: got %v, %v; want no error: %v", test.length, test.offset,
					err, intoErr, test.want)
			}
		}
		if old := mustCall(t, i, "grow", 1); old != pages {
			t.Errorf("got %d pages before the growth, want %d", old, pages)
		}
	}
	none := newInstance(t, compileModule(t, moduleWithStart("")), wasport.Config{})
	if _, err := none.Memory().Read(0, 0); err == nil || none.Memory().Size() != 0 {
		t.Errorf("got %v without a memory, want an error", err)
	}
}

// TestMemoryIsReadWhileItGrows reads a shared memory while the guest grows it. Both take a lock of
// wazero's and one of the memory's.
func TestMemoryIsReadWhileItGrows(t *testing.T) {
	const pages = 2000
	i := newInstance(t, compileTestdata(t, "shared"), wasport.Config{MaxMemory: pages << 16})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for size := uint64(0); size < pages<<16; size = i.Memory().Size() {
			if size == 0 {
				continue
			}
			if _, err := i.Memory().Read(size-1, 1); err != nil {
				t.Errorf("the last byte of %d: got %v, want no error", size, err)
				return
			}
		}
	}()
	if got := mustCall(t, i, "fill"); got != pages {
		t.Errorf("got %d pages, want the limit of %d", got, pages)
	}
	<-done
}

func TestMallocIsChecked(t *testing.T) {
	ctx := context.Background()
	i := newInstance(t, compileTestdata(t, "instance"), wasport.Config{})
	for _, name := range []string{"", "malloc"} {
		at, err := i.Malloc(ctx, name, []byte("data"))
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := i.Memory().Read(at, 4); string(b) != "data" {
			t.Errorf("got %q, want what was allocated", b)
		}
		for _, name := range []string{"", "free", "dealloc"} {
			if err := i.Free(ctx, name, at, 4); err != nil {
				t.Error(err)
			}
		}
	}
	big := make([]byte, 1<<17)
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"malloc_none", []byte("data"), "returned 0"},
		{"malloc_outside", []byte("0123456789"), "not within"},
		{"malloc_nothing", []byte("data"), "returns no address"},
		{"malloc", big, "do not fit"},
		{"missing", []byte("data"), "exports no function"},
	} {
		_, err := i.Malloc(ctx, test.name, test.data)
		if err == nil || !strings.Contains(err.Error(), test.want) || i.Err() != nil {
			t.Errorf("%s: got %v, want an error with %q", test.name, err, test.want)
		}
	}
	if at, err := i.Malloc(ctx, "", nil); err != nil {
		t.Errorf("nothing: got %v, %v; want no error", at, err)
	}
}

// FuzzLinearMemory reads and writes at arbitrary ranges, and compares with the bounds of a slice.
func FuzzLinearMemory(f *testing.F) {
	i := newInstance(f, compileTestdata(f, "instance"), wasport.Config{})
	f.Add(uint64(0), uint64(1<<16), []byte("data"))
	f.Add(uint64(math.MaxUint64), uint64(math.MaxUint64), []byte{})
	f.Add(uint64(1<<16-2), uint64(1<<32), []byte("data"))
	f.Fuzz(func(t *testing.T, offset, length uint64, data []byte) {
		size := i.Memory().Size()
		within := func(n uint64) bool { return offset <= size && n <= size-offset }
		b, err := i.Memory().Read(offset, length)
		if (err == nil) != within(length) || uint64(len(b)) != length && err == nil {
			t.Errorf("got %d bytes, %v; want %d within %d at %d", len(b), err, length, size, offset)
		}
		err = i.Memory().Write(offset, data)
		into := make([]byte, len(data))
		intoErr := i.Memory().ReadInto(into, offset)
		if want := within(uint64(len(data))); (err == nil) != want || (intoErr == nil) != want ||
			want && !bytes.Equal(into, data) {
			t.Errorf("got %v and %v, want %d bytes at %d of %d", err, intoErr, len(data), offset,
				size)
		}
	})
}
