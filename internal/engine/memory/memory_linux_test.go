package memory

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

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
