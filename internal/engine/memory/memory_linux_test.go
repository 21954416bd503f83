package memory

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
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
		m := newMemory(t, Config{Min: 65536 * PageSize, Max: 65536 * PageSize,
			Limit: 65536 * PageSize, Shared: shared})
		b := m.Allocate(0, 0).Reallocate(65536 * PageSize)
		_, before := statm(t)
		for i := range 16 {
			b[i*len(b)/16] = 1
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
		m := newMemory(t, Config{Min: 16 * PageSize, Max: 65536 * PageSize,
			Limit: 65536 * PageSize})
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

// TestGrowthUnderAddressSpaceLimit sets RLIMIT_AS (getrlimit(2)), in a child process. The 4 GiB of
// a module cannot be reserved then. A smaller range is reserved, growth moves the memory if needed,
// and growth beyond the limit fails without harm to the process.
func TestGrowthUnderAddressSpaceLimit(t *testing.T) {
	if os.Getenv("MEMORY_TEST_CHILD") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestGrowthUnderAddressSpaceLimit$", "-test.v")
		cmd.Env = append(os.Environ(), "MEMORY_TEST_CHILD=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("child process: got %v, want no error\n%s", err, out)
		}
		return
	}
	allow := func(more uint64) {
		virtual, _ := statm(t)
		if err := unix.Setrlimit(unix.RLIMIT_AS,
			&unix.Rlimit{Cur: uint64(virtual) + more, Max: unix.RLIM_INFINITY}); err != nil {
			t.Skip(err)
		}
	}
	allow(450 << 20) // For a range of 256 MiB and the maps of Go's runtime.
	m := newMemory(t, Config{Min: PageSize, Max: 4 * gib, Limit: 4 * gib})
	l := m.Allocate(PageSize, 4*gib)
	small := l.Reallocate(PageSize)
	small[5] = 5
	if b := l.Reallocate(200 << 20); b == nil || &b[0] != &small[0] {
		t.Fatal("200 MiB: got another range or none, want growth in place")
	}
	if l.Reallocate(600<<20) != nil {
		t.Fatal("600 MiB in 450 MiB of address space: got a range, want none")
	}
	if b := l.Reallocate(210 << 20); b == nil || b[5] != 5 {
		t.Fatal("after a refused growth: got other bytes or none, want the memory as before")
	}
	if _, err := New(Config{Min: PageSize, Max: 4 * gib, Limit: 4 * gib,
		Shared: true}); err == nil {
		t.Fatal("4 GiB shared in 450 MiB of address space: got a memory, want an error")
	}
	allow(2 * gib)
	b := l.Reallocate(600 << 20)
	if b == nil || b[5] != 5 {
		t.Fatal("600 MiB in 2 GiB: got other bytes or none, want the memory moved with its bytes")
	}
	b[600<<20-1] = 1
	virtual, _ := statm(t)
	mustRelease(t, m)
	if v, _ := statm(t); virtual-v < 600<<20 {
		t.Errorf("after Release: got %d bytes of address space back, want at least %d", virtual-v,
			600<<20)
	}
}
