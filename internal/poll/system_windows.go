package poll

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

var procWSAPoll = windows.NewLazySystemDLL("ws2_32.dll").NewProc("WSAPoll")

// pollFd is a WSAPOLLFD.
type pollFd struct {
	fd      windows.Handle
	Events  int16
	Revents int16
}

// The values of winsock2.h. Windows reports POLLHUP when the peer has shut down its sending
// direction. poll(2) of Linux reports that as POLLIN, and POLLHUP only when both directions are
// shut down. So POLLHUP counts as Readable here.
const (
	// POLLRDNORM.
	pollIn = 0x0100
	// POLLWRNORM.
	pollOut = 0x0010
	// POLLHUP.
	pollReadEnd = 0x0002
	pollHangup  = 0
	pollError   = 0x0001
	pollInvalid = 0x0004
)

func makePollFd(fd uintptr, mask int16) pollFd {
	return pollFd{fd: windows.Handle(fd), Events: mask}
}

// holdsBefore reports whether the item is ready before the system is asked. WSAPoll waits for ever
// for a stream without a connection, of which Poll says that it hangs up.
func (i *Item) holdsBefore() bool { return i.holds(0) }

// holds reports whether the item is ready. It asks the item, which knows more than WSAPoll tells,
// such as that a failure was reported before.
func (i *Item) holds(network.Events) bool {
	i.Got, i.Err = i.P.Poll(i.Want)
	i.Got = i.filter(i.Got)
	return i.Got != 0 || i.Err != nil
}

// systemPoll waits for timeout milliseconds, or without a limit if timeout is negative.
func systemPoll(fds []pollFd, timeout int) error {
	r, _, errno := syscall.SyscallN(procWSAPoll.Addr(), uintptr(unsafe.Pointer(&fds[0])),
		uintptr(len(fds)), uintptr(timeout))
	if int32(r) < 0 {
		return errno
	}
	return nil
}

// waker is a datagram socket that is connected to itself, so that no other program can wake it.
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
			err = windows.Connect(fd, self)
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

// drain is called only when a datagram has arrived.
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
