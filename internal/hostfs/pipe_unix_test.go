//go:build unix

package hostfs

import (
	"io"
	"io/fs"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func TestFIFONeverBlocks(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(dir+"/fifo", 0o666); err != nil {
		t.Fatal(err)
	}
	eachResolver(t, func(t *testing.T, walk bool) {
		d := openRoot(t, dir, ReadWrite, walk)
		if _, _, err := d.Open("fifo", OpenOptions{Write: true}); err != syscall.ENXIO {
			t.Error(err)
		}
		r := openFile(t, d, "fifo", OpenOptions{Read: true})
		w := openFile(t, d, "fifo", OpenOptions{Write: true})
		checkPipe(t, r, w)
	})
}

// checkPipe tests both ends of an empty pipe, and closes them.
func checkPipe(t *testing.T, r, w File) {
	t.Helper()
	buf := make([]byte, 1<<16)
	if r.Type() != Pipe {
		t.Errorf("got type %v, want %v", r.Type(), Pipe)
	}
	if st, err := w.Stat(); st.Type != Pipe || err != nil {
		t.Errorf("got %+v, %v; want type %v", st, err, Pipe)
	}
	if n, err := r.Readv([][]byte{buf}); n > 0 || err != syscall.EAGAIN {
		t.Errorf("read: got %v, %v; want %v", n, err, syscall.EAGAIN)
	}
	if got, err := r.Poll(network.Readable); got != 0 || err != nil {
		t.Errorf("poll: got %v, %v; want 0", got, err)
	}
	if got, err := w.Poll(network.Writable); got != network.Writable || err != nil {
		t.Errorf("poll: got %v, %v; want %v", got, err, network.Writable)
	}
	if n, err := w.Writev(bufs("", "hello")); n != 5 || err != nil {
		t.Errorf("write: got %v, %v; want 5", n, err)
	}
	if got, err := r.Poll(network.Readable | network.Writable); got != network.Readable ||
		err != nil {
		t.Errorf("poll: got %v, %v; want %v", got, err, network.Readable)
	}
	if n, err := r.Available(); n != 5 || err != nil {
		t.Errorf("available: got %v, %v; want 5", n, err)
	}
	if n, err := r.Readv([][]byte{nil, buf}); n != 5 || err != nil || string(buf[:5]) != "hello" {
		t.Errorf("read: got %v, %v; want 5", n, err)
	}
	if _, err := r.Seek(0, io.SeekCurrent); err != syscall.ESPIPE {
		t.Errorf("seek: got %v, want %v", err, syscall.ESPIPE)
	}
	if _, err := r.Preadv([][]byte{buf}, 0); err != syscall.ESPIPE {
		t.Errorf("read at an offset: got %v, want %v", err, syscall.ESPIPE)
	}
	if err := r.Advise(0, 0, Normal); err != syscall.ESPIPE {
		t.Errorf("advise: got %v, want %v", err, syscall.ESPIPE)
	}
	ready := r.Readiness()
	if ready.Control == nil || ready.Control(func(uintptr) {}) != nil {
		t.Error("got no Control that calls its function, want one for a pipe")
	}
	checkFullPipe(t, r, w)
	checkClosedPipe(t, r, w, ready)
}

// checkFullPipe fills a pipe until a write is EAGAIN, and reads everything in order.
func checkFullPipe(t *testing.T, r, w File) {
	t.Helper()
	buf := make([]byte, 1<<16)
	var written, read int
	data := make([]byte, 10000)
	for {
		for i := range data {
			data[i] = byte((written + i) * 7 >> 3)
		}
		n, err := w.Writev([][]byte{data[:1], data[1:5000], data[5000:]})
		if err == syscall.EAGAIN {
			break
		}
		if n <= 0 || err != nil || written > 1<<24 {
			t.Fatalf("write: got %v, %v; want EAGAIN before 16 MiB", n, err)
		}
		written += n
	}
	if got, err := w.Poll(network.Writable); got != 0 || err != nil {
		t.Errorf("poll: got %v, %v; want 0", got, err)
	}
	for read < written {
		n, err := r.Readv([][]byte{buf[:777], buf[777:]})
		if n <= 0 || err != nil {
			t.Fatalf("read: got %v, %v; want more than 0", n, err)
		}
		for i := range n {
			if buf[i] != byte((read+i)*7>>3) {
				t.Fatalf("byte %d: got %d, want %d", read+i, buf[i], byte((read+i)*7>>3))
			}
		}
		read += n
	}
	if n, err := r.Readv([][]byte{buf}); n > 0 || err != syscall.EAGAIN {
		t.Errorf("read: got %v, %v; want %v", n, err, syscall.EAGAIN)
	}
}

// checkClosedPipe closes the writing end and then the reading end.
func checkClosedPipe(t *testing.T, r, w File, ready network.Readiness) {
	t.Helper()
	buf := make([]byte, 16)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if got, err := r.Poll(network.Readable); got != network.Readable|network.Hangup || err != nil {
		t.Errorf("poll: got %v, %v; want %v", got, err, network.Readable|network.Hangup)
	}
	if n, err := r.Readv([][]byte{buf}); n != 0 || err != nil {
		t.Errorf("read: got %v, %v; want 0", n, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	err := ready.Control(func(uintptr) { t.Error("got a call after close, want none") })
	if err != fs.ErrClosed {
		t.Errorf("control after close: got %v, want %v", err, fs.ErrClosed)
	}
}
