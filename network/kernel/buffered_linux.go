package kernel

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// grownBuffers returns the sizes up to which the kernel lets buffers of TCP grow: the last of
// the three numbers of tcp_rmem and tcp_wmem, see tcp(7).
var grownBuffers = sync.OnceValues(func() (recv, send int64) {
	return largest("tcp_rmem", 6<<20), largest("tcp_wmem", 4<<20)
})

func largest(sysctl string, otherwise int64) int64 {
	text, err := os.ReadFile("/proc/sys/net/ipv4/" + sysctl)
	if err != nil {
		return otherwise
	}
	numbers := strings.Fields(string(text))
	if len(numbers) != 3 {
		return otherwise
	}
	n, err := strconv.ParseInt(numbers[2], 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// unsent is a second descriptor of a socket that was closed.
type unsent struct{ fd int }

func leaveUnsent(fd int) network.Unsent {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return unsent{n}
}

// End sends the end of the stream, as close(2) does, which the second descriptor prevents. It
// fails on a connection that has failed, of which nothing is left.
func (u unsent) End() { unix.Shutdown(u.fd, unix.SHUT_WR) }

func (u unsent) Memory() (int64, error) { return sendMemory(u.fd) }
func (u unsent) Close() error           { return unix.Close(u.fd) }

// sendMemory is the memory of what was not sent or not acknowledged.
func sendMemory(fd int) (int64, error) {
	const queued = 5 // SK_MEMINFO_WMEM_QUEUED in linux/sock_diag.h
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET,
		unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return int64(info[queued]), nil
}
