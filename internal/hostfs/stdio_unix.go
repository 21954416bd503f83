//go:build unix

package hostfs

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// FromOS makes a File of an open file of the process, such as os.Stdin. It has a descriptor of its
// own, so that neither closing affects the other, but shares position and modes with os and whoever
// else inherited it. The modes are never changed.
func FromOS(file *os.File) (*File, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	var dupErr error
	err = conn.Control(func(orig uintptr) {
		fd, dupErr = unix.FcntlInt(orig, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil {
		err = dupErr
	}
	if err != nil {
		return nil, err
	}
	f, err := inherit(fd)
	if err != nil {
		unix.Close(fd)
	}
	return f, err
}

func inherit(fd int) (*File, error) {
	var st unix.Stat_t
	if err := retryErr(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return nil, err
	}
	modes, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return nil, err
	}
	typ := typeOf(&st)
	if typ == SocketStream {
		if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err == nil &&
			kind == unix.SOCK_DGRAM {
			typ = SocketDatagram
		}
	}
	// Whether the file is in non-blocking mode says something about this process, or its parent,
	// and nothing about what the guest asked for.
	var flags Flags
	if modes&unix.O_APPEND != 0 {
		flags |= Append
	}
	if modes&unix.O_SYNC == unix.O_SYNC {
		flags |= Sync
	} else if dsyncFlag != 0 && modes&dsyncFlag != 0 {
		flags |= Dsync
	}
	f := newFile(fd, typ, flags)
	f.kernelSync = flags & (Dsync | Sync)
	f.shared = true
	return f, nil
}

// Terminal reports whether the file is one.
func (f *File) Terminal() bool {
	if f.acquire() != nil {
		return false
	}
	defer f.release()
	_, err := unix.IoctlGetWinsize(f.fd, unix.TIOCGWINSZ) // which no other device has
	return err == nil
}

// pipeBuf is what a pipe takes in one piece once it is writable, by POSIX at least 512.
const pipeBuf = 4096

// tryReadv reads from a stream without ever blocking.
func (f *File) tryReadv(bufs [][]byte) (int, error) {
	if !f.shared {
		return readv(f.fd, bufs)
	}
	if n, err, ok := f.blocking.readv(f.fd, bufs); ok {
		return n, err
	}
	first := firstBuffer(bufs)
	if len(first) == 0 {
		return 0, nil
	}
	ready, err := f.poll(network.Readable)
	if err != nil {
		return 0, err
	}
	if ready == 0 {
		return 0, unix.EAGAIN
	}
	return retry(func() (int, error) { return unix.Read(f.fd, first) })
}

// tryWritev writes to a stream without ever blocking.
func (f *File) tryWritev(bufs [][]byte) (int, error) {
	if !f.shared {
		return writev(f.fd, bufs)
	}
	if n, err, ok := f.blocking.writev(f.fd, bufs); ok {
		return n, err
	}
	first := firstBuffer(bufs)
	if len(first) == 0 {
		return 0, nil
	}
	ready, err := f.poll(network.Writable)
	if err != nil {
		return 0, err
	}
	if ready == 0 {
		return 0, unix.EAGAIN
	}
	first = first[:min(len(first), pipeBuf)]
	return retry(func() (int, error) { return unix.Write(f.fd, first) })
}

func firstBuffer(bufs [][]byte) []byte {
	for _, b := range bufs {
		if len(b) > 0 {
			return b
		}
	}
	return nil
}
