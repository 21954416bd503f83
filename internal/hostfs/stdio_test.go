//go:build unix

package hostfs

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// inheritedPipe makes a pipe in blocking mode, as a shell hands it on.
func inheritedPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func fromOS(t *testing.T, file *os.File) *File {
	t.Helper()
	f, err := FromOS(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func modes(t *testing.T, file *os.File) int {
	t.Helper()
	conn, err := file.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var modes int
	if err := conn.Control(func(fd uintptr) {
		modes,
			err = unix.FcntlInt(fd, unix.F_GETFL, 0)
	}); err != nil {
		t.Fatal(err)
	}
	return modes
}

func TestInheritedPipe(t *testing.T) {
	for name, prepare := range map[string]func(f *File){
		"kernel's try": func(*File) {},
		"asked first":  func(f *File) { f.nowait.disable() },
	} {
		t.Run(name, func(t *testing.T) {
			osr, osw := inheritedPipe(t)
			before := modes(t, osr)
			r, w := fromOS(t, osr), fromOS(t, osw)
			prepare(r)
			prepare(w)
			if r.Flags() != 0 {
				t.Error(r.Flags())
			}
			if err := r.SetFlags(Nonblock); err != nil || r.Flags() != Nonblock {
				t.Error(err)
			}
			if err := r.SetFlags(Append); err != unix.ENOTSUP {
				t.Error(err)
			}
			if modes(t, osr) != before {
				t.Error("modes have changed")
			}
			osw.Close() // w has its own
			checkPipe(t, r, w)

			// The original is open still, at the end of the pipe.
			if _, err := osr.Read(make([]byte, 1)); err != io.EOF {
				t.Error(err)
			}
		})
	}
}

// Go's own pipes are in non-blocking mode, which the guest has not asked for.
func TestPipeOfGo(t *testing.T) {
	osr, osw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer osr.Close()
	r, w := fromOS(t, osr), fromOS(t, osw)
	osw.Close()
	if r.Flags() != 0 || w.Flags() != 0 {
		t.Error(r.Flags(), w.Flags())
	}
	if modes(t, osr)&unix.O_NONBLOCK == 0 {
		t.Error("the pipe has been put into blocking mode")
	}
	checkPipe(t, r, w)
}

func TestBrokenPipe(t *testing.T) {
	for name, prepare := range map[string]func(f *File){
		"kernel's try": func(*File) {},
		"asked first":  func(f *File) { f.nowait.disable() },
	} {
		t.Run(name, func(t *testing.T) {
			osr, osw := inheritedPipe(t)
			w := fromOS(t, osw)
			prepare(w)
			osr.Close()
			if n, err := w.Writev(bufs("x")); n > 0 || err != unix.EPIPE {
				t.Error(n, err)
			}
			if got, err := w.Poll(network.Writable); got&(network.Writable|
				network.Failed) != network.Writable|network.Failed || err != nil {
				t.Error(got, err)
			}
		})
	}
}

func TestInheritedFile(t *testing.T) {
	file, err := os.OpenFile(filepath.Join(t.TempDir(), "file"), os.O_RDWR|os.O_CREATE|os.O_APPEND,
		0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f := fromOS(t, file)
	if f.Flags() != Append || f.Type() != RegularFile {
		t.Error(f.Flags(), f.Type())
	}
	if n, err := f.Writev(bufs("one", "two")); n != 6 || err != nil {
		t.Error(n, err)
	}
	if pos, err := file.Seek(0, io.SeekCurrent); pos != 6 || err != nil {
		t.Error("the position is not shared:", pos, err)
	}
	if err := f.SetFlags(0); err != unix.ENOTSUP {
		t.Error(err)
	}
	if r := f.Readiness(); r.Control != nil {
		t.Error("a regular file need not be waited for")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := file.Write([]byte("x")); err != nil {
		t.Error("closed along:", err)
	}
}

func TestInheritedNull(t *testing.T) {
	file, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f := fromOS(t, file)
	if n, err := f.Writev(bufs("abc")); n != 3 || err != nil {
		t.Error(n, err)
	}
	if n, err := f.Readv([][]byte{make([]byte, 5)}); n != 0 || err != nil {
		t.Error(n, err)
	}
	if got, err := f.Poll(network.Readable | network.Writable); got != network.Readable|
		network.Writable || err != nil {
		t.Error(got, err)
	}
	if f.Type() != CharDevice {
		t.Error(f.Type())
	}
	if r := f.Readiness(); r.Control != nil {
		t.Error("it is always ready, and epoll refuses it")
	}
}

func TestInheritedDirectory(t *testing.T) {
	file, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f := fromOS(t, file)
	if _, err := f.Readv(bufs("x")); f.Type() != Directory || err != unix.EISDIR {
		t.Error(f.Type(), err)
	}
}

func TestInheritedSocket(t *testing.T) {
	for kind, want := range map[int]FileType{unix.SOCK_STREAM: SocketStream,
		unix.SOCK_DGRAM: SocketDatagram} {
		for _, ask := range []bool{false, true} {
			fds, err := unix.Socketpair(unix.AF_UNIX, kind, 0)
			if err != nil {
				t.Fatal(err)
			}
			a, b := os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
			f := fromOS(t, a)
			if ask {
				f.nowait.disable()
			}
			buf := make([]byte, 10)
			if st, err := f.Stat(); f.Type() != want || st.Type != want || err != nil {
				t.Errorf("%v %+v %v", f.Type(), st, err)
			}
			if n, err := f.Readv([][]byte{buf}); n > 0 || err != unix.EAGAIN {
				t.Error(n, err)
			}
			b.Write([]byte("hi"))
			if n, err := f.Readv([][]byte{buf}); n != 2 || err != nil {
				t.Error(n, err)
			}
			if n, err := f.Writev(bufs("hello")); n != 5 || err != nil {
				t.Error(n, err)
			}
			if n, err := b.Read(buf); string(buf[:n]) != "hello" || err != nil {
				t.Error(n, err)
			}
			a.Close()
			b.Close()
		}
	}
}

func TestClosedOSFile(t *testing.T) {
	r, _ := inheritedPipe(t)
	r.Close()
	if _, err := FromOS(r); err == nil {
		t.Error("a closed file")
	}
}

func TestNoAllocationOnPipes(t *testing.T) {
	for name, prepare := range map[string]func(f *File){
		"kernel's try": func(*File) {},
		"asked first":  func(f *File) { f.nowait.disable() },
	} {
		t.Run(name, func(t *testing.T) {
			osr, osw := inheritedPipe(t)
			r, w := fromOS(t, osr), fromOS(t, osw)
			prepare(r)
			prepare(w)
			out, in := bufs("hello, ", "world"), [][]byte{make([]byte, 64), make([]byte, 64)}
			if n := testing.AllocsPerRun(100, func() {
				w.Writev(out)
				r.Poll(network.Readable)
				r.Available()
				r.Readiness()
				r.Readv(in)
				r.Readv(in) // nothing there
			}); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}
