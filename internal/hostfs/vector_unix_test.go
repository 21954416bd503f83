//go:build unix

package hostfs

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestTransferOfMoreThanOneCallMoves transfers two buffers, the first of which is larger than one
// call may be.
func TestTransferOfMoreThanOneCallMoves(t *testing.T) {
	// Nothing touches it.
	large, err := unix.Mmap(-1, 0, maxTransfer+1, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(large)
	calls := 0
	n, err := transferEach([][]byte{large, make([]byte, 1)}, func(b []byte, done int) (int, error) {
		if calls++; len(b) > maxTransfer || done != 0 {
			return 0, unix.EINVAL
		}
		return len(b), nil
	})
	if n != maxTransfer || err != nil || calls != 1 {
		t.Errorf("got %d bytes, %v by %d calls, want %d by one", n, err, calls, maxTransfer)
	}
}
