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

func fromOS(t *testing.T, file *os.File) File {
	t.Helper()
	f, _, err := FromOS(file)
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
		modes, err = unix.FcntlInt(fd, unix.F_GETFL, 0)
	}); err != nil {
		t.Fatal(err)
	}
	return modes
}

func TestInheritedPipe(t *testing.T) {
	for name, prepare := range map[string]func(f *osFile){
		"preadv2":    func(*osFile) {},
		"poll first": func(f *osFile) { f.nowait.disable() },
	} {
		t.Run(name, func(t *testing.T) {
			osr, osw := inheritedPipe(t)
			before := modes(t, osr)
			r, w := fromOS(t, osr), fromOS(t, osw)
			prepare(r.(*osFile))
			prepare(w.(*osFile))
			if r.Flags() != 0 {
				t.Errorf("got flags %v, want none", r.Flags())
			}
			if err := r.SetFlags(Nonblock); err != nil || r.Flags() != Nonblock {
				t.Error(err)
			}
			if err := r.SetFlags(Append); err != unix.ENOTSUP {
				t.Errorf("set flags: got %v, want %v", err, unix.ENOTSUP)
			}
			if modes(t, osr) != before {
				t.Errorf("got modes %#x, want %#x", modes(t, osr), before)
			}
			osw.Close() // w has its own
			checkPipe(t, r, w)

			// The original is open still, at the end of the pipe.
			if _, err := osr.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("read: got %v, want %v", err, io.EOF)
			}
		})
	}
}

// The pipes of package os are in non-blocking mode, which the guest did not ask for.
func TestNonblockingPipe(t *testing.T) {
	osr, osw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer osr.Close()
	r, w := fromOS(t, osr), fromOS(t, osw)
	osw.Close()
	if r.Flags() != 0 || w.Flags() != 0 {
		t.Errorf("got flags %v and %v, want none", r.Flags(), w.Flags())
	}
	if modes(t, osr)&unix.O_NONBLOCK == 0 {
		t.Error("got a pipe in blocking mode, want its mode unchanged")
	}
	checkPipe(t, r, w)
}

func TestWriteToBrokenPipe(t *testing.T) {
	for name, prepare := range map[string]func(f *osFile){
		"preadv2":    func(*osFile) {},
		"poll first": func(f *osFile) { f.nowait.disable() },
	} {
		t.Run(name, func(t *testing.T) {
			osr, osw := inheritedPipe(t)
			w := fromOS(t, osw)
			prepare(w.(*osFile))
			osr.Close()
			if n, err := w.Writev(bufs("x")); n > 0 || err != unix.EPIPE {
				t.Errorf("write: got %v, %v; want %v", n, err, unix.EPIPE)
			}
			if got, err := w.Poll(network.Writable); got&(network.Writable|
				network.Failed) != network.Writable|network.Failed || err != nil {
				t.Errorf("poll: got %v, %v; want Writable and Failed", got, err)
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
		t.Errorf("got flags %v, type %v; want %v, %v", f.Flags(), f.Type(), Append, RegularFile)
	}
	if n, err := f.Writev(bufs("one", "two")); n != 6 || err != nil {
		t.Errorf("write: got %v, %v; want 6", n, err)
	}
	if pos, err := file.Seek(0, io.SeekCurrent); pos != 6 || err != nil {
		t.Errorf("seek of the original: got %v, %v; want the shared position 6", pos, err)
	}
	if err := f.SetFlags(0); err != unix.ENOTSUP {
		t.Errorf("set flags: got %v, want %v", err, unix.ENOTSUP)
	}
	if r := f.Readiness(); r.Control != nil {
		t.Errorf("got %+v, want the zero Readiness for a regular file", r)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := file.Write([]byte("x")); err != nil {
		t.Errorf("write to the original after close: got %v, want no error", err)
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
		t.Errorf("write: got %v, %v; want 3", n, err)
	}
	if n, err := f.Readv([][]byte{make([]byte, 5)}); n != 0 || err != nil {
		t.Errorf("read: got %v, %v; want 0", n, err)
	}
	if got, err := f.Poll(network.Readable | network.Writable); got != network.Readable|
		network.Writable || err != nil {
		t.Errorf("poll: got %v, %v; want %v", got, err, network.Readable|network.Writable)
	}
	if f.Type() != CharDevice {
		t.Errorf("got type %v, want %v", f.Type(), CharDevice)
	}
	if r := f.Readiness(); r.Control != nil {
		t.Errorf("got %+v, want the zero Readiness, since epoll_ctl(2) refuses the device", r)
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
		t.Errorf("got type %v, %v; want %v, %v", f.Type(), err, Directory, unix.EISDIR)
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
				f.(*osFile).nowait.disable()
			}
			buf := make([]byte, 10)
			if st, err := f.Stat(); f.Type() != want || st.Type != want || err != nil {
				t.Errorf("got type %v, %+v, %v; want %v", f.Type(), st, err, want)
			}
			if n, err := f.Readv([][]byte{buf}); n > 0 || err != unix.EAGAIN {
				t.Errorf("read: got %v, %v; want %v", n, err, unix.EAGAIN)
			}
			b.Write([]byte("hi"))
			if n, err := f.Readv([][]byte{buf}); n != 2 || err != nil {
				t.Errorf("read: got %v, %v; want 2", n, err)
			}
			if n, err := f.Writev(bufs("hello")); n != 5 || err != nil {
				t.Errorf("write: got %v, %v; want 5", n, err)
			}
			if n, err := b.Read(buf); string(buf[:n]) != "hello" || err != nil {
				t.Errorf("read: got %q, %v; want \"hello\"", buf[:max(n, 0)], err)
			}
			a.Close()
			b.Close()
		}
	}
}

func TestFromOSOfClosedFile(t *testing.T) {
	r, _ := inheritedPipe(t)
	r.Close()
	if _, _, err := FromOS(r); err == nil {
		t.Error("closed file: got no error, want one")
	}
}

func TestPipeCallsDoNotAllocate(t *testing.T) {
	for name, prepare := range map[string]func(f *osFile){
		"preadv2":    func(*osFile) {},
		"poll first": func(f *osFile) { f.nowait.disable() },
	} {
		t.Run(name, func(t *testing.T) {
			osr, osw := inheritedPipe(t)
			r, w := fromOS(t, osr), fromOS(t, osw)
			prepare(r.(*osFile))
			prepare(w.(*osFile))
			out, in := bufs("hello, ", "world"), [][]byte{make([]byte, 64), make([]byte, 64)}
			if n := testing.AllocsPerRun(100, func() {
				w.Writev(out)
				r.Poll(network.Readable)
				r.Available()
				r.Readiness()
				r.Readv(in)
				r.Readv(in) // nothing there
			}); n != 0 {
				t.Errorf("got %v allocations, want none", n)
			}
		})
	}
}
