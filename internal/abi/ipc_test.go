package abi_test

import (
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

// TestHostileArgumentsOfIPC calls the functions of pipes and epolls with extreme numbers.
func TestHostileArgumentsOfIPC(t *testing.T) {
	c := newNetCaller(t)
	c.must("fd_event", 0, 0, out)
	counter := c.u32(out)
	c.must("epoll_create", out)
	epoll := c.u32(out)
	const most, least = 1<<31 - 1, 1 << 31 // as i32
	for _, test := range []struct {
		name string
		args []uint64
		want wasi.Errno
	}{
		{"fd_pipe", []uint64{minusOne, out, out2}, wasi.EINVAL},
		{"fd_pipe", []uint64{4, out, bad}, wasi.EFAULT},
		{"fd_event", []uint64{minusOne, 2, out}, wasi.EINVAL},
		{"fd_event", []uint64{minusOne, minusOne, out}, wasi.EINVAL},
		{"sock_pair", []uint64{2, 0, out, out2}, wasi.EINVAL},
		{"sock_pair", []uint64{stream, minusOne, out, out2}, wasi.EINVAL},
		{"fd_dup", []uint64{counter, minusOne, out}, wasi.EINVAL},
		{"fd_dup", []uint64{counter, most, out}, wasi.EINVAL},
		{"fd_dup", []uint64{least, 0, out}, wasi.EBADF},
		{"fd_dup_to", []uint64{counter, most}, wasi.EBADF},
		{"fd_dup_to", []uint64{counter, least}, wasi.EBADF},
		{"epoll_control", []uint64{epoll, 0, counter, 0, 0}, wasi.EINVAL},
		{"epoll_control", []uint64{epoll, least, counter, minusOne, 1<<64 - 1}, wasi.EINVAL},
		{"epoll_control", []uint64{epoll, 1, epoll, minusOne, 0}, wasi.EINVAL},
		{"epoll_control", []uint64{epoll, 1, dir, 1, 0}, wasi.EPERM},
		{"epoll_wait", []uint64{epoll, out, 0, 0, out2}, wasi.EINVAL},
		{"epoll_wait", []uint64{epoll, out, least, 0, out2}, wasi.EINVAL},
		{"epoll_wait", []uint64{epoll, out, most, 0, out2}, wasi.EINVAL},
		{"epoll_wait", []uint64{epoll, nowhere, 1, 1 << 63, out2}, wasi.EFAULT},
		{"epoll_wait", []uint64{dir, out, 1, 1 << 63, out2}, wasi.EINVAL},
	} {
		if e := c.call(test.name, test.args...); e != test.want {
			t.Errorf("%s%v: got %v, want %v", test.name, test.args, e, test.want)
		}
	}
}
