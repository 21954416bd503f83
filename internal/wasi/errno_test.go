package wasi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
)

func TestErrnoOfError(t *testing.T) {
	for _, test := range []struct {
		err  error
		want Errno
	}{
		{nil, Success},
		{syscall.EAGAIN, EAGAIN},
		{syscall.EWOULDBLOCK, EAGAIN},
		{syscall.EACCES, EACCES},
		{syscall.EOPNOTSUPP, ENOTSUP},
		{syscall.ENOTSUP, ENOTSUP},
		{fmt.Errorf("wrapped: %w", syscall.ECONNREFUSED), ECONNREFUSED},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, ENOENT},
		{ENOTCAPABLE, ENOTCAPABLE},
		{fmt.Errorf("wrapped: %w", ENOTCAPABLE), ENOTCAPABLE},
		{net.ErrClosed, EBADF},
		{fs.ErrClosed, EBADF},
		{os.ErrDeadlineExceeded, EAGAIN},
		{context.Canceled, ECANCELED},
		{context.DeadlineExceeded, ETIMEDOUT},
		{fs.ErrNotExist, ENOENT},
		{fs.ErrExist, EEXIST},
		{fs.ErrPermission, EACCES},
		{errors.ErrUnsupported, ENOTSUP},
		{errors.New("anything else"), EIO},
		{syscall.Errno(0), Success},
		{syscall.Errno(9999), ENOSYS},
	} {
		if got := ErrnoOf(test.err); got != test.want {
			t.Errorf("ErrnoOf(%v) = %v, want %v", test.err, got, test.want)
		}
	}
}

// TestErrnoNumbersOfWITX compares some numbers with wasi_snapshot_preview1.witx. A missing name
// would shift all later ones.
func TestErrnoNumbersOfWITX(t *testing.T) {
	for e, want := range map[Errno]struct {
		number uint16
		name   string
	}{
		EACCES: {2, "EACCES"}, EAGAIN: {6, "EAGAIN"}, EBADF: {8, "EBADF"},
		ECONNREFUSED: {14, "ECONNREFUSED"}, EFAULT: {21, "EFAULT"},
		EINPROGRESS: {26, "EINPROGRESS"}, EINVAL: {28, "EINVAL"}, EIO: {29, "EIO"},
		EISCONN:     {30, "EISCONN"},
		ENOPROTOOPT: {50, "ENOPROTOOPT"}, ENOSYS: {52, "ENOSYS"}, ENOTCONN: {53, "ENOTCONN"},
		ENOTSOCK: {57, "ENOTSOCK"},
		ENOTSUP:  {58, "ENOTSUP"}, EPIPE: {64, "EPIPE"}, EPROTO: {65, "EPROTO"},
		EPROTONOSUPPORT: {66, "EPROTONOSUPPORT"},
		ETIMEDOUT:       {73, "ETIMEDOUT"}, EXDEV: {75, "EXDEV"}, ENOTCAPABLE: {76, "ENOTCAPABLE"},
	} {
		if uint16(e) != want.number || e.String() != want.name {
			t.Errorf("got %d %v, want %d %s", uint16(e), e, want.number, want.name)
		}
	}
	if len(errnoNames) != int(ENOTCAPABLE)+1 {
		t.Errorf("got %d names, want %d", len(errnoNames), ENOTCAPABLE+1)
	}
	for _, row := range slices.Concat(hostErrnos, someErrnos) {
		// On most systems EWOULDBLOCK equals EAGAIN and EOPNOTSUPP equals ENOTSUP, so rows repeat.
		if got := FromHost(row.host); got != row.wasi {
			t.Errorf("%v: got %v, want %v", row.host, got, row.wasi)
		}
	}
}
