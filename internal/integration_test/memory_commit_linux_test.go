package integration_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// commitCharge returns the bytes of private memory that the process may write to: VmData of
// proc_pid_status(5).
func commitCharge(t *testing.T) uint64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(b), "VmData:")
	var kib uint64
	if _, err := fmt.Sscan(line, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
