package gramine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notification is a struct seccomp_notif, and response a struct seccomp_notif_resp.
type (
	notification struct {
		id         uint64
		tid, flags uint32
		nr         int32
		arch       uint32
		ip         uint64
		args       [6]uint64
	}
	response struct {
		id    uint64
		val   int64
		error int32
		flags uint32
	}
)

// supervisor decides about the calls that the filter cannot judge. It has one goroutine.
type supervisor struct {
	// connects holds the streams that connect(2) was called for, by their inode numbers.
	connects map[uint64]bool
	// errors holds the last SO_ERROR of each socket.
	errors map[uint64]int32
}

// supervise answers the listener's notifications until the process ends.
func supervise(listener int) {
	s := supervisor{connects: make(map[uint64]bool), errors: make(map[uint64]int32)}
	for {
		var n notification
		if errno := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); errno != 0 {
			// ENOENT: a signal has interrupted the call meanwhile, and it comes again.
			if errno == unix.EINTR || errno == unix.ENOENT {
				continue
			}
			return
		}
		r := response{id: n.id}
		switch errno, done := s.judge(&n); {
		case errno != 0:
			r.error = -int32(errno)
		case !done:
			r.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
		}
		// It fails if the thread was killed meanwhile.
		ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
	}
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno
}

// judge returns the errno of a call, or done if the supervisor has made it. Otherwise the kernel
// makes it.
func (s *supervisor) judge(n *notification) (errno unix.Errno, done bool) {
	if n.nr == unix.SYS_EPOLL_CTL {
		target, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.tid, int32(n.args[2])))
		if target == "anon_inode:[eventpoll]" {
			return unix.EINVAL, false
		}
		return 0, false
	}
	fd, err := n.socket()
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	stream := socketOption(fd, unix.SO_TYPE) == unix.SOCK_STREAM
	switch n.nr {
	case unix.SYS_RECVFROM, unix.SYS_RECVMSG:
		if !stream {
			return unix.EOPNOTSUPP, false
		}
	case unix.SYS_SENDTO:
		if !stream && socketOption(fd, unix.SO_DOMAIN) == unix.AF_INET6 {
			return unix.EAFNOSUPPORT, false
		}
	case unix.SYS_LISTEN:
		if unbound(fd) {
			return unix.EINVAL, false
		}
	case unix.SYS_GETSOCKNAME:
		return 0, unbound(fd) && n.hideName() == nil
	case unix.SYS_CONNECT:
		if stream {
			return s.judgeConnect(fd), false
		}
	case unix.SYS_GETSOCKOPT:
		return 0, s.keepError(fd, n) == nil
	}
	return 0, false
}

// judgeConnect refuses a second call: a connection that has failed stays in progress for Gramine.
func (s *supervisor) judgeConnect(fd int) unix.Errno {
	ino := inode(fd)
	if !s.connects[ino] {
		s.connects[ino] = true
		return 0
	}
	if _, err := unix.Getpeername(fd); err == nil {
		return unix.EISCONN
	}
	return unix.EALREADY
}

// keepError reports SO_ERROR without clearing it.
func (s *supervisor) keepError(fd int, n *notification) error {
	ino := inode(fd)
	if now := socketOption(fd, unix.SO_ERROR); now != 0 {
		s.errors[ino] = int32(now)
	}
	if s.errors[ino] == 0 {
		return unix.ENODATA
	}
	return n.write(n.args[3], binary.NativeEndian.AppendUint32(nil, uint32(s.errors[ino])))
}

// hideName makes getsockname(2) return a name of the family AF_UNSPEC alone.
func (n *notification) hideName() error {
	if err := n.write(n.args[1], []byte{0, 0}); err != nil {
		return err
	}
	return n.write(n.args[2], binary.NativeEndian.AppendUint32(nil, 2))
}

// socket returns a duplicate of the first argument, if it is a socket of the Internet's families.
func (n *notification) socket() (int, error) {
	pid, err := n.process()
	if err != nil {
		return -1, err
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, int(int32(n.args[0])), 0)
	if err != nil {
		return -1, err
	}
	switch socketOption(fd, unix.SO_DOMAIN) {
	case unix.AF_INET, unix.AF_INET6:
		return fd, nil
	}
	unix.Close(fd)
	return -1, unix.ENOTSOCK
}

// process returns the process of the thread that has made the call.
func (n *notification) process() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.tid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(status, []byte("\nTgid:\t"))
	id, _, _ := bytes.Cut(rest, []byte("\n"))
	return strconv.Atoi(string(id))
}

// write copies bytes to an address of the process.
func (n *notification) write(address uint64, b []byte) error {
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", n.tid), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(b, int64(address))
	return err
}

// socketOption returns an option of the level SOL_SOCKET, or -1.
func socketOption(fd, option int) int {
	v, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option)
	if err != nil {
		return -1
	}
	return v
}

func unbound(fd int) bool {
	name, err := unix.Getsockname(fd)
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return a.Port == 0
	case *unix.SockaddrInet6:
		return a.Port == 0
	}
	return err == nil
}

func inode(fd int) uint64 {
	var st unix.Stat_t
	unix.Fstat(fd, &st)
	return st.Ino
}
