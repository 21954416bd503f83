package kernel

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// autotuneLimits returns the largest sizes that the kernel gives the buffers of TCP itself: the
// initial ones, or those up to which it tunes them, the second and third of the numbers of tcp_rmem
// and tcp_wmem (tcp(7)).
var autotuneLimits = sync.OnceValues(func() (recv, send int64) {
	return sysctlMax("tcp_rmem", 6<<20), sysctlMax("tcp_wmem", 4<<20)
})

// sysctlMax reads the larger of a sysctl's second and third number, or returns otherwise if it
// cannot.
func sysctlMax(sysctl string, otherwise int64) int64 {
	text, err := os.ReadFile("/proc/sys/net/ipv4/" + sysctl)
	if err != nil {
		return otherwise
	}
	numbers := strings.Fields(string(text))
	if len(numbers) != 3 {
		return otherwise
	}
	initial, err := strconv.ParseInt(numbers[1], 10, 64)
	if err != nil {
		return otherwise
	}
	most, err := strconv.ParseInt(numbers[2], 10, 64)
	if err != nil {
		return otherwise
	}
	return max(initial, most)
}

// unsent is a second descriptor of a closed socket of TCP.
type unsent struct{ fd int }

// dupUnsent returns nil if the process has no descriptor left. Close then resets the connection,
// since nothing would tell how long its data take memory.
func dupUnsent(fd int) network.Unsent {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		resetOnClose(fd)
		return nil
	}
	return unsent{n}
}

// End sends the FIN that close(2) would have sent without the second descriptor. It fails on a
// connection that has failed, with nothing left to end.
func (u unsent) End() { unix.Shutdown(u.fd, unix.SHUT_WR) }

func (u unsent) Memory() (int64, error) { return sendQueueMemory(u.fd) }
func (u unsent) Close() error           { return unix.Close(u.fd) }

// Reset implements network.Unsent. With a linger time of 0, close(2) frees the send queue
// (socket(7), SO_LINGER).
func (u unsent) Reset() error {
	resetOnClose(u.fd)
	return unix.Close(u.fd)
}

func resetOnClose(fd int) {
	unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// Indices of SO_MEMINFO: SK_MEMINFO_WMEM_ALLOC, SK_MEMINFO_SNDBUF and SK_MEMINFO_WMEM_QUEUED of
// linux/sock_diag.h.
const (
	memAllocated = 2
	memSendLimit = 3
	memQueued    = 5
)

// sendQueueMemory returns the memory of the bytes that were not sent or not acknowledged, in bytes.
func sendQueueMemory(fd int) (int64, error) { return socketMemory(fd, memQueued) }

// socketMemory returns one of the numbers of SO_MEMINFO, in bytes.
func socketMemory(fd, index int) (int64, error) {
	info, err := memoryInfo(fd)
	return int64(info[index]), err
}

// memoryInfo returns SO_MEMINFO, in bytes.
func memoryInfo(fd int) (info [9]uint32, err error) {
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := syscall.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET,
		unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return info, errno
	}
	return info, nil
}
