package hostfs

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// A terminal in blocking mode, where the kernel cannot try and has to be asked.
func TestTerminal(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer master.Close()
	conn, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Skip(err)
	}
	fd, err := unix.Open(fmt.Sprintf("/dev/pts/%d", number), unix.O_RDWR|unix.O_NOCTTY|
		unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip(err)
	}
	tty := os.NewFile(uintptr(fd), "tty")
	defer tty.Close()
	f := fromOS(t, tty)
	buf := make([]byte, 100)
	if n, err := f.Readv([][]byte{buf}); n > 0 || err != unix.EAGAIN {
		t.Error(n, err)
	}
	if f.Readiness().Control == nil {
		t.Error("a terminal is waited for")
	}
	// Half a line is nothing to read yet.
	master.WriteString("half")
	if got, err := f.Poll(network.Readable); got != 0 || err != nil {
		t.Error(got, err)
	}
	if n, err := f.Readv([][]byte{buf}); n > 0 || err != unix.EAGAIN {
		t.Error(n, err)
	}
	master.WriteString(" a line\n")
	f.Readiness().Control(func(fd uintptr) { // it takes the kernel a moment to pass it on
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
	})
	if n, err := f.Readv([][]byte{buf}); string(buf[:max(n, 0)]) != "half a line\n" || err != nil {
		t.Error(n, err)
	}
	if n, err := f.Writev(bufs("out", "put")); n <= 0 || err != nil {
		t.Error(n, err)
	}
	if modes(t, tty)&unix.O_NONBLOCK != 0 {
		t.Error("the terminal has been put into non-blocking mode")
	}
}
