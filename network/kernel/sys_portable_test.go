//go:build unix && (!linux || portable)

package kernel

import (
	"maps"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRaiseBuffers has the defaults of macOS, those of Linux, and a system that refuses.
func TestRaiseBuffers(t *testing.T) {
	const room = 128 << 10
	for _, test := range []struct {
		name       string
		send, recv int
		refuses    bool
		want       map[int]int
	}{
		{"macOS", 9216, 786896, false, map[int]int{unix.SO_SNDBUF: room, unix.SO_RCVBUF: 786896}},
		{"FreeBSD", 9216, 42080, false, map[int]int{unix.SO_SNDBUF: room, unix.SO_RCVBUF: room}},
		{"Linux", 212992, 212992, false,
			map[int]int{unix.SO_SNDBUF: 212992, unix.SO_RCVBUF: 212992}},
		{"refused", 9216, 9216, true, map[int]int{unix.SO_SNDBUF: 9216, unix.SO_RCVBUF: 9216}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sizes := map[int]int{unix.SO_SNDBUF: test.send, unix.SO_RCVBUF: test.recv}
			raiseBuffers(func(name int) (int, error) { return sizes[name], nil },
				func(name, bytes int) error {
					if test.refuses {
						return syscall.ENOBUFS
					}
					sizes[name] = bytes
					return nil
				})
			if !maps.Equal(sizes, test.want) {
				t.Errorf("got buffers of %v bytes, want %v", sizes, test.want)
			}
		})
	}
}

func TestFirstBytes(t *testing.T) {
	sizes := func(lens ...int) (bufs [][]byte) {
		for _, n := range lens {
			bufs = append(bufs, make([]byte, n))
		}
		return bufs
	}
	for _, test := range []struct {
		name string
		bufs [][]byte
		want int
	}{
		{"none", nil, 0},
		{"less", sizes(3, 4), 2},
		{"just so", sizes(3, 7), 2},
		{"more", sizes(3, 8, 5), 2},
		{"one too many", sizes(10, 1, 1), 2},
		{"one large", sizes(1 << 20), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := totalLen(test.bufs)
			got := firstBytes(test.bufs, 10)
			if len(got) != test.want || totalLen(got) != min(before, 10) {
				t.Errorf("got %d buffers of %d bytes, want %d of %d", len(got), totalLen(got),
					test.want, min(before, 10))
			}
			if totalLen(test.bufs) != before {
				t.Error("got the caller's list changed, want it as it was")
			}
		})
	}
}
