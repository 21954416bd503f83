package kernel

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

// TestHostAddrsErrno has GetAdaptersAddresses fail. Its errors are POSIX's for the caller.
func TestHostAddrsErrno(t *testing.T) {
	for failure, want := range map[error]error{
		windows.ERROR_NOT_ENOUGH_MEMORY: syscall.ENOMEM,
		windows.ERROR_ACCESS_DENIED:     syscall.EACCES,
		windows.ERROR_INVALID_PARAMETER: syscall.EINVAL,
		windows.ERROR_NOT_SUPPORTED:     syscall.EOPNOTSUPP,
		windows.WSAENOBUFS:              syscall.ENOBUFS,
		windows.ERROR_BUFFER_OVERFLOW:   syscall.ENOBUFS,
		windows.ERROR_NO_DATA:           nil,
	} {
		t.Run(failure.Error(), func(t *testing.T) {
			list, err := listAdapters(func(_, _ uint32, _ uintptr, _ *windows.IpAdapterAddresses,
				size *uint32) error {
				*size *= 2
				return failure
			})
			if !errors.Is(err, want) || err != nil && want == nil || len(list) != 0 {
				t.Errorf("got %v, %v; want none, %v", list, err, want)
			}
		})
	}
}
