package kernel

import (
	"errors"
	"net"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

var _ network.UnixSocket = (*socket)(nil)

// openUnix makes a Unix-domain stream. Other systems have no way to bind or to connect in an open
// directory, so that another program could exchange a directory of the path meanwhile.
func openUnix(typ network.Type) (network.Socket, error) {
	if typ != network.Stream {
		return nil, syscall.EPROTONOSUPPORT
	}
	fd, err := unix.Socket(unix.AF_UNIX,
		unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return newSocket(fd, network.Unix, typ), nil
}

// fdPath returns a path by which the kernel finds an open file (proc(5)). The address of a socket
// has no descriptor of a directory besides it.
func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// BindUnix makes the file in the open directory. bind(2) does not follow a symbolic link with its
// name: EADDRINUSE.
func (s *socket) BindUnix(a network.UnixAddr) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if s.family != network.Unix {
		return syscall.EAFNOSUPPORT
	}
	return a.Open(func(dir uintptr, name string) error {
		err := callUnix(unix.Bind, s.fd, fdPath(int(dir))+"/"+name)
		if err == nil {
			s.setState(stateBound)
		}
		return err
	})
}

// ConnectUnix opens the file first, without following a symbolic link, and connects to exactly that
// file. A failure leaves no error in the socket, unlike that of TCP.
func (s *socket) ConnectUnix(a network.UnixAddr) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if s.family != network.Unix {
		return syscall.EAFNOSUPPORT
	}
	s.connMu.Lock()
	defer s.connMu.Unlock()
	switch s.conn.load() {
	case stateConnected:
		return syscall.EISCONN
	case stateListening:
		return syscall.EINVAL
	}
	return a.Open(func(dir uintptr, name string) error {
		file, err := openSocketFile(int(dir), name)
		if err != nil {
			return err
		}
		defer unix.Close(file)
		err = callUnix(unix.Connect, s.fd, fdPath(file))
		switch err {
		case nil:
			s.conn.store(stateConnected)
		case syscall.EAGAIN: // connect(2)
			return network.ErrBacklogFull
		}
		return err
	})
}

// unixListenerEnded reports whether a listener was shut down. accept(2) is EAGAIN then, as if a
// connection could still come, and poll(2) says that there is one.
func unixListenerEnded(fd int) bool {
	got, err := sysPoll(fd, unix.POLLRDHUP)
	return err == nil && got&unix.POLLRDHUP != 0
}

// unixUnsent is a second descriptor of a closed Unix-domain stream. What it has sent is in its
// peer's queue, and counts as the sender's memory (SK_MEMINFO_WMEM_ALLOC), until the peer takes it
// or ends.
type unixUnsent struct{ fd int }

// dupUnixUnsent returns nil if the peer has taken everything. Unlike that of TCP, a close discards
// nothing, whatever is unread and whatever the linger time is.
func dupUnixUnsent(fd int) network.Unsent {
	if n, err := socketMemory(fd, memAllocated); n == 0 || err != nil {
		return nil
	}
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return unixUnsent{n}
}

// End ends both directions, so that a peer that still sends gets EPIPE.
func (u unixUnsent) End() { unix.Shutdown(u.fd, unix.SHUT_RDWR) }

func (u unixUnsent) Memory() (int64, error) { return socketMemory(u.fd, memAllocated) }
func (u unixUnsent) Close() error           { return unix.Close(u.fd) }

// Reset changes nothing: no call takes data back from the peer's queue.
func (u unixUnsent) Reset() error { return errors.ErrUnsupported }

// openSocketFile opens a file of any type but a symbolic link, which is ELOOP.
func openSocketFile(dir int, name string) (int, error) {
	fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		err = syscall.ELOOP
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// callUnix calls bind(2) or connect(2). A path that does not fit into the address is ENAMETOOLONG.
// Without proc(5) there is no way to name the file: ENOSYS in place of its ENOENT.
func callUnix(call func(int, unix.Sockaddr) error, fd int, path string) error {
	const maxPath = len(unix.RawSockaddrUnix{}.Path) - 1
	if len(path) > maxPath {
		return syscall.ENAMETOOLONG
	}
	err := call(fd, &unix.SockaddrUnix{Name: path})
	if err == syscall.ENOENT && unix.Access("/proc/self/fd", unix.F_OK) != nil {
		return syscall.ENOSYS
	}
	return err
}
