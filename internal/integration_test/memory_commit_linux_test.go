package integration_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// commitCharge returns the bytes of private memory that the process may write to.
func commitCharge(t *testing.T) uint64 {
	t.Helper()
	return processStatus(t, "VmData")
}

// processStatus returns a size of proc_pid_status(5) in bytes.
func processStatus(t *testing.T, name string) uint64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(b), "\n"+name+":")
	var kib uint64
	if _, err := fmt.Sscan(line, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
