//go:build unix

package hostfs

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// FromOS makes a File of an open file of the process, such as os.Stdin. It duplicates the
// descriptor, so that each is closed on its own. Both share the position and the modes, also with
// other processes that inherited the file. So FromOS and the File never change the modes. The
// Stream is always nil, since poll(2) tells whether a call would block.
func FromOS(file *os.File) (File, *Stream, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, nil, err
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
		return nil, nil, err
	}
	f, err := newInherited(fd)
	if err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	return f, nil, nil
}

func newInherited(fd int) (*osFile, error) {
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
	// O_NONBLOCK was set by this process or its parent. It is not a request of the guest, so it
	// does not become Nonblock.
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

// Terminal reports whether the file is a terminal. TIOCGWINSZ succeeds for no other device
// (ioctl_tty(2)).
func (f *osFile) Terminal() bool {
	if f.acquire() != nil {
		return false
	}
	defer f.release()
	_, err := unix.IoctlGetWinsize(f.fd, unix.TIOCGWINSZ)
	return err == nil
}

// pipeBuf is the number of bytes that a writable pipe takes without blocking (pipe(7), PIPE_BUF).
const pipeBuf = 4096

// tryReadv reads from a stream without blocking.
func (f *osFile) tryReadv(bufs [][]byte) (int, error) {
	if !f.shared {
		return readv(f.fd, bufs)
	}
	if n, ok, err := f.nowait.readv(f.fd, bufs); ok {
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

// tryWritev writes to a stream without blocking.
func (f *osFile) tryWritev(bufs [][]byte) (int, error) {
	if !f.shared {
		return writev(f.fd, bufs)
	}
	if n, ok, err := f.nowait.writev(f.fd, bufs); ok {
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
