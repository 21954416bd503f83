package integration_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport"
)

// TestGuestsUnderLimitedAddressSpace runs guests without a memory limit in a process whose address
// space is limited (RLIMIT_AS, getrlimit(2)). They get less, or an error, and leave enough for the
// process to go on.
func TestGuestsUnderLimitedAddressSpace(t *testing.T) {
	const child = "WASPORT_TEST_SPACE"
	if !canMeasure {
		t.Skip("the race detector reserves more address space than this")
	}
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestGuestsUnderLimitedAddressSpace$")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("got %v, want the process to go on: %.2000s", err, out)
		}
		return
	}
	ctx := context.Background()
	var modules []*wasport.Module
	for _, name := range []string{"grow", "greedy", "vast"} {
		modules = append(modules, compileTestdata(t, name))
	}
	memories := compileComponent(t, "memories")
	limit := unix.Rlimit{
		Cur: uint64(measureFootprint(t).virtual + 700<<20),
		Max: unix.RLIM_INFINITY,
	}
	if err := unix.Setrlimit(unix.RLIMIT_AS, &limit); err != nil {
		t.Fatal(err)
	}
	kept := make([][]byte, 0, len(modules))
	for i, m := range modules {
		_, err := m.Run(ctx, wasport.Config{Stdout: os.Stdout})
		var trap *wasport.Trap
		if vast := i == 2; vast != (err != nil) || errors.As(err, &trap) {
			t.Errorf("module %d: got %v, want an error that is no trap if it starts with 4 GiB, "+
				"and none else", i, err)
		}
		kept = append(kept, make([]byte, 16<<20)) // the process has memory still
		kept[i][0] = 1
	}
	// Each memory of a component reserves no more than all of them may have. Go's heap may grow
	// meanwhile, by 64 MiB at a time.
	const maxGrown = (64 + 64 + 16) << 20
	before := measureFootprint(t).virtual
	var grown int64
	status, err := memories.Run(ctx, wasport.Config{MaxMemory: 1 << 20,
		OnLimit: func(string, int) { grown = int64(measureFootprint(t).virtual - before) }})
	if err != nil || status.Code != 16 || grown > maxGrown {
		t.Errorf("got %d pages, %v and %d bytes reserved, want 16 pages and at most %d",
			status.Code, err, grown, maxGrown)
	}
}
