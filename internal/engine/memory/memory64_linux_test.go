//go:build !386 && !arm && !mips && !mipsle

package memory

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

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
			t.Fatal(err)
		}
	}
	allow(450 << 20) // For a range of 256 MiB and the maps of Go's runtime.
	m := newMemory(t, Config{Min: PageSize, Max: vast, Limit: vast})
	l := m.Allocate(PageSize, vast)
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
	if _, err := New(Config{Min: PageSize, Max: vast, Limit: vast,
		Shared: true}); err == nil {
		t.Fatal("4 GiB shared in 450 MiB of address space: got a memory, want an error")
	}
	allow(2 << 30)
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
