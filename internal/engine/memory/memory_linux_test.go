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
	for _, shared := range []bool{false, true} {
		m := newMemory(t, Config{Min: 65536 * PageSize, Max: 65536 * PageSize,
			Limit: 65536 * PageSize, Shared: shared})
		b := m.Allocate(0, 0).Reallocate(65536 * PageSize)
		_, before := statm(t)
		for i := range 16 {
			b[i*len(b)/16] = 1
		}
		_, after := statm(t)
		if used := after - before; used > 8<<20 {
			t.Errorf("16 touched pages of 4 GiB cost %d bytes (shared: %v)", used, shared)
		}
		release1(t, m)
	}
}

func TestMemoryGoesBack(t *testing.T) {
	cycle := func() {
		m := newMemory(t, Config{Min: 16 * PageSize, Max: 65536 * PageSize,
			Limit: 65536 * PageSize})
		l := m.Allocate(0, 0)
		b := l.Reallocate(16 * PageSize)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		l.Free()
		release1(t, m)
	}
	cycle()
	virtual, resident := statm(t)
	for range 1000 {
		cycle()
	}
	v, r := statm(t)
	if v-virtual > 256<<20 || r-resident > 16<<20 {
		t.Errorf("after 1000 memories: %d bytes more virtual, %d more resident", v-virtual,
			r-resident)
	}
}

// A system call writes into a guest's memory while the guest's instance is closed: without the
// count of references its bytes would fault, or land in whatever has been mapped there since.
func TestMemoryOutlivesASystemCall(t *testing.T) {
	m := newMemory(t, Config{Min: PageSize, Max: PageSize, Limit: PageSize})
	ctx, mod := instantiate(t, m, wazero.NewRuntimeConfig())
	view, _ := mod.Memory().Read(0, PageSize)

	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(p[0])

	if !m.Retain() {
		t.Fatal("Retain")
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
	release1(t, m)
	if _, err := unix.Write(p[1], []byte("hello")); err != nil {
		t.Fatal(err)
	}
	unix.Close(p[1])
	if err := <-result; err != nil {
		t.Fatalf("read into the guest's memory: %v", err)
	}
	if !bytes.Equal(view[:5], []byte("hello")) {
		t.Fatalf("%q arrived", view[:5])
	}
	release1(t, m)
	zero, err := unix.Open("/dev/zero", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(zero)
	if _, err := unix.Read(zero, view); err != unix.EFAULT {
		t.Errorf("after the last release the memory is still there: %v", err)
	}
}

// With little address space allowed, a module's 4 GiB cannot be reserved: a smaller range must do,
// growth moves the memory where it has to, and growth past what there is fails without harm to the
// process.
func TestAddressSpaceLimit(t *testing.T) {
	if os.Getenv("MEMORY_TEST_CHILD") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAddressSpaceLimit$", "-test.v")
		cmd.Env = append(os.Environ(), "MEMORY_TEST_CHILD=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	allow := func(more int) {
		virtual, _ := statm(t)
		if err := unix.Setrlimit(unix.RLIMIT_AS,
			&unix.Rlimit{Cur: uint64(virtual + more), Max: unix.RLIM_INFINITY}); err != nil {
			t.Skip(err)
		}
	}
	allow(450 << 20) // for 256 MiB, and what the Go runtime maps meanwhile
	m := newMemory(t, Config{Min: PageSize, Max: 4 * gib, Limit: 4 * gib})
	l := m.Allocate(PageSize, 4*gib)
	small := l.Reallocate(PageSize)
	small[5] = 5
	if b := l.Reallocate(200 << 20); b == nil || &b[0] != &small[0] {
		t.Fatal("no growth in place within the address space that there is")
	}
	if l.Reallocate(600<<20) != nil {
		t.Fatal("600 MiB of memory in 450 MiB of address space")
	}
	if b := l.Reallocate(210 << 20); b == nil || b[5] != 5 {
		t.Fatal("a refused growth spoilt the memory")
	}
	if _, err := New(Config{Min: PageSize, Max: 4 * gib, Limit: 4 * gib,
		Shared: true}); err == nil {
		t.Fatal("4 GiB of shared memory in 450 MiB of address space")
	}
	allow(2 * gib)
	b := l.Reallocate(600 << 20)
	if b == nil || b[5] != 5 {
		t.Fatal("the memory did not move to a larger range with its bytes")
	}
	b[600<<20-1] = 1
	virtual, _ := statm(t)
	release1(t, m)
	if v, _ := statm(t); virtual-v < 600<<20 {
		t.Errorf("%d bytes of address space came back", virtual-v)
	}
}
