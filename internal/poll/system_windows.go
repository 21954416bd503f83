package poll

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procWSAPoll = windows.NewLazySystemDLL("ws2_32.dll").NewProc("WSAPoll")

// pollFd is a WSAPOLLFD.
type pollFd struct {
	fd      windows.Handle
	Events  int16
	Revents int16
}

// The values of winsock2.h. A peer that will send no more is reported as having hung up, which
// Linux says only when both directions have ended; so it counts as something to read, the end.
const (
	pollIn      = 0x0100 // POLLRDNORM
	pollOut     = 0x0010 // POLLWRNORM
	pollEnd     = 0x0002 // POLLHUP
	pollHangup  = 0
	pollError   = 0x0001
	pollInvalid = 0x0004
)

func makePollFd(fd uintptr, mask int16) pollFd {
	return pollFd{fd: windows.Handle(fd), Events: mask}
}

// systemPoll waits for milliseconds; less than none are for ever.
func systemPoll(fds []pollFd, timeout int) error {
	r, _, errno := syscall.SyscallN(procWSAPoll.Addr(), uintptr(unsafe.Pointer(&fds[0])),
		uintptr(len(fds)), uintptr(timeout))
	if int32(r) < 0 {
		return errno
	}
	return nil
}

// waker is a datagram socket that talks to itself.
type waker struct{ fd windows.Handle }

func newWaker() (waker, error) {
	var data windows.WSAData
	if err := windows.WSAStartup(0x0202, &data); err != nil {
		return waker{}, err
	}
	fd, err := windows.WSASocket(windows.AF_INET, windows.SOCK_DGRAM, windows.IPPROTO_UDP, nil, 0,
		windows.WSA_FLAG_NO_HANDLE_INHERIT)
	if err != nil {
		windows.WSACleanup()
		return waker{}, err
	}
	w := waker{fd}
	err = windows.Bind(fd, &windows.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		var self windows.Sockaddr
		if self, err = windows.Getsockname(fd); err == nil {
			err = windows.Connect(fd, self) // so that nobody else can wake it
		}
	}
	if err != nil {
		w.close()
		return waker{}, err
	}
	return w, nil
}

func (w waker) pollFd() pollFd { return makePollFd(uintptr(w.fd), pollIn) }

func (w waker) wake() {
	var b byte
	var n uint32
	buf := windows.WSABuf{Len: 1, Buf: &b}
	windows.WSASend(w.fd, &buf, 1, &n, 0, nil, nil)
}

// drain is called only when there is something.
func (w waker) drain() {
	var b byte
	var n, flags uint32
	buf := windows.WSABuf{Len: 1, Buf: &b}
	windows.WSARecv(w.fd, &buf, 1, &n, &flags, nil, nil)
}

func (w waker) close() {
	windows.Closesocket(w.fd)
	windows.WSACleanup()
}
