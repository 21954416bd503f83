package hostfs

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

// The kernel does not support RWF_NOWAIT on a terminal, so each attempt is preceded by poll(2).
func TestTerminalInBlockingMode(t *testing.T) {
	master, tty, err := testutil.OpenPTY(t)
	if err != nil {
		needs.Missing(t, err)
	}
	defer tty.Close()
	f := fromOS(t, tty)
	buf := make([]byte, 100)
	if n, err := f.Readv([][]byte{buf}); n > 0 || err != unix.EAGAIN {
		t.Errorf("read: got %v, %v; want %v", n, err, unix.EAGAIN)
	}
	if f.Readiness().Control == nil {
		t.Error("got no Control, want one for a terminal")
	}
	// Half a line is nothing to read yet.
	master.WriteString("half")
	if got, err := f.Poll(network.Readable); got != 0 || err != nil {
		t.Errorf("poll: got %v, %v; want 0", got, err)
	}
	if n, err := f.Readv([][]byte{buf}); n > 0 || err != unix.EAGAIN {
		t.Errorf("read: got %v, %v; want %v", n, err, unix.EAGAIN)
	}
	master.WriteString(" a line\n")
	f.Readiness().Control(func(fd uintptr) { // it takes the kernel a moment to pass it on
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
	})
	if n, err := f.Readv([][]byte{buf}); string(buf[:max(n, 0)]) != "half a line\n" || err != nil {
		t.Errorf("read: got %q, %v; want \"half a line\\n\"", buf[:max(n, 0)], err)
	}
	if n, err := f.Writev(bufs("out", "put")); n <= 0 || err != nil {
		t.Errorf("write: got %v, %v; want more than 0", n, err)
	}
	if modes(t, tty)&unix.O_NONBLOCK != 0 {
		t.Error("got a terminal in non-blocking mode, want its mode unchanged")
	}
}
