package memory

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/tetratelabs/wazero"
	"golang.org/x/sys/unix"
)

// statm returns the process's virtual and resident size in bytes.
func statm(t *testing.T) (virtual, resident int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b))
	v, _ := strconv.Atoi(f[0])
	r, _ := strconv.Atoi(f[1])
	return v * os.Getpagesize(), r * os.Getpagesize()
}

// pageIsResident asks mincore(2) for the page of a byte.
func pageIsResident(t *testing.T, b *byte) bool {
	t.Helper()
	page := uintptr(unsafe.Pointer(b)) &^ uintptr(systemPage-1)
	var resident [1]byte
	_, _, e := unix.Syscall(unix.SYS_MINCORE, page, uintptr(systemPage),
		uintptr(unsafe.Pointer(&resident)))
	if e != 0 {
		t.Fatal(e)
	}
	return resident[0]&1 != 0
}

func TestOnlyTouchedPagesAreResident(t *testing.T) {
	forEachKind(t, func(t *testing.T, shared bool) {
		m := newMemory(t, Config{Min: vast, Max: vast, Limit: vast, Shared: shared})
		b := m.Allocate(0, 0).Reallocate(vast)
		_, before := statm(t)
		for i := range 16 {
			b[i*(len(b)/16)] = 1
		}
		_, after := statm(t)
		if used := after - before; used > 8<<20 {
			t.Errorf("16 touched pages: got %d bytes resident, want at most %d", used, 8<<20)
		}
		mustRelease(t, m)
	})
}

func TestReleaseUnmapsMemory(t *testing.T) {
	cycle := func() {
		m := newMemory(t, Config{Min: 16 * PageSize, Max: vast, Limit: vast})
		l := m.Allocate(0, 0)
		b := l.Reallocate(16 * PageSize)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		l.Free()
		mustRelease(t, m)
	}
	cycle()
	virtual, resident := statm(t)
	for range 1000 {
		cycle()
	}
	v, r := statm(t)
	if v-virtual > 256<<20 || r-resident > 16<<20 {
		t.Errorf("after 1000 memories: got %d bytes more virtual, %d more resident, want no leak",
			v-virtual, r-resident)
	}
}

// TestMemoryOutlivesSystemCall closes a guest's instance while a system call writes into its
// memory. Without the reference the call would fail with EFAULT, or write into another mapping.
func TestMemoryOutlivesSystemCall(t *testing.T) {
	m := newMemory(t, Config{Min: PageSize, Max: PageSize, Limit: PageSize})
	ctx, mod := instantiate(t, m, wazero.NewRuntimeConfig())
	view, _ := mod.Memory().Read(0, PageSize)

	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(p[0])

	if !m.Retain() {
		t.Fatal("Retain: got false, want true")
	}
	result := make(chan error)
	go func() {
		n, err := unix.Read(p[0], view[:5])
		if err == nil && n != 5 {
			err = errors.New("short read")
		}
		result <- err
	}()
	if err := mod.Close(ctx); err != nil {
		t.Fatal(err)
	}
	mustRelease(t, m)
	if _, err := unix.Write(p[1], []byte("hello")); err != nil {
		t.Fatal(err)
	}
	unix.Close(p[1])
	if err := <-result; err != nil {
		t.Fatalf("read into the guest's memory: got %v, want no error", err)
	}
	if !bytes.Equal(view[:5], []byte("hello")) {
		t.Fatalf("got %q, want %q", view[:5], "hello")
	}
	mustRelease(t, m)
	zero, err := unix.Open("/dev/zero", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(zero)
	if _, err := unix.Read(zero, view); err != unix.EFAULT {
		t.Errorf("read after the last release: got %v, want EFAULT", err)
	}
}

// TestFewSlotsKeepPages releases more memories than slots may be warm, and takes them again with
// the same hot pages and with others.
func TestFewSlotsKeepPages(t *testing.T) {
	p := newPool(t)
	c := Config{Min: 2 * PageSize, Max: vast, Limit: vast, Pool: p, Shift: 64,
		Hot: Range{PageSize - 100, PageSize + 100}}
	const count = maxWarm + 2*chunkSlots
	take := func(c Config) (memories []*Memory, resident int) {
		for range count {
			m, b, _ := allocate(t, c)
			if pageIsResident(t, &m.slot.bytes()[PageSize]) {
				resident++
			}
			b[PageSize] = 1
			memories = append(memories, m)
		}
		return memories, resident
	}
	release := func(memories []*Memory) {
		for _, m := range memories {
			mustRelease(t, m)
		}
	}
	memories, _ := take(c)
	kept := memories[:maxWarm+2] // the others hold their chunks
	release(kept)
	if p.numWarm != maxWarm {
		t.Errorf("got %d warm slots, want %d", p.numWarm, maxWarm)
	}
	again, resident := take(c)
	if resident != maxWarm || p.numWarm != 0 {
		t.Errorf("the same hot pages: got %d resident and %d warm slots left, want %d and none",
			resident, p.numWarm, maxWarm)
	}
	release(again)
	c.Hot.End += PageSize
	again, resident = take(c)
	if resident != 0 || p.numWarm != 0 {
		t.Errorf("other hot pages: got %d resident and %d warm slots left, want none", resident,
			p.numWarm)
	}
	release(again)
	release(memories[len(kept):])
}
