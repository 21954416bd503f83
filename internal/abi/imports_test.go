package abi_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// Addresses in guest memory that the tests use.
const (
	at       = 1024 // an argument's structure
	path     = 1536 // a path of pathLen bytes
	path2    = 1600
	pathLen  = 5
	iov      = 2048 // an iovec
	data     = 4096 // dataLen bytes that the iovec points to
	dataLen  = 64
	out      = 8192 // results
	out2     = 8448
	out3     = 8512
	bad      = memorySize - 1 // no room for more than 1 byte
	nowhere  = 0xfffffff0
	minusOne = 0xffffffff
)

// Descriptors of the guest that newNetCaller makes.
const (
	stdin = iota
	stdout
	stderr
	dir
	closed = 77
)

// newNetCaller makes a guest that may use all of loopback and has a directory.
func newNetCaller(t testing.TB) *caller {
	t.Helper()
	// Starts sooner than the compiler.
	return newNetCallerOn(t, wazero.NewRuntimeConfigInterpreter())
}

func newNetCallerOn(t testing.TB, engine wazero.RuntimeConfig) *caller {
	t.Helper()
	return newCallerOn(t, engine, netConfig(t)).withBuffer()
}

func netConfig(t testing.TB) system.Config {
	t.Helper()
	rules, err := policy.ParseTargets(policy.Allow, policy.ActionConnect, "loopback",
		policy.Origin{})
	more := func(a policy.Action, text string) {
		r, perr := policy.ParseTargets(policy.Allow, a, text, policy.Origin{})
		if perr != nil {
			err = perr
		}
		rules = append(rules, r...)
	}
	more(policy.ActionListen, "loopback")
	more(policy.ActionJoin, "multicast")
	more(policy.ActionResolve, "allowed.test")
	more(policy.ActionConnect, "unix:*")
	more(policy.ActionListen, "unix:*")
	if err != nil {
		t.Fatal(err)
	}
	host := t.TempDir()
	for _, name := range []string{"file1", "gone1"} {
		if err := os.WriteFile(host+"/"+name, []byte("contents"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(host+"/empty", 0o700); err != nil {
		t.Fatal(err)
	}
	// A system without symbolic links has no link1.
	if err := os.Symlink("file1", host+"/link1"); err != nil &&
		!errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	root, err := hostfs.OpenRoot(host, hostfs.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	// No server listens there, so that no query leaves the machine.
	base := kernel.New(kernel.Config{Server: "127.0.0.1:1", Hosts: map[string][]netip.Addr{
		"allowed.test": {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")},
	}})
	return system.Config{
		Args: []string{"program", "argument"}, Env: []string{"A=b"},
		Stdin: strings.NewReader("input"), Stdout: &strings.Builder{}, Stderr: &strings.Builder{},
		Preopens: []system.Preopen{{Dir: root, Name: "/"}},
		Network:  guard.New(base, policy.New(rules, policy.Limits{}), guard.Options{}),
	}
}

// withBuffer makes the iovec point to data.
func (c *caller) withBuffer() *caller {
	m := c.memory()
	binary.LittleEndian.PutUint32(m[iov:], data)
	binary.LittleEndian.PutUint32(m[iov+4:], dataLen)
	return c
}

func (c *caller) open(family, typ uint64) uint64 {
	c.t.Helper()
	c.must("sock_open", minusOne, family, typ, out)
	return c.u32(out)
}

func (c *caller) putAddr(a netip.AddrPort) uint64 {
	wasi.PutAddr(c.memory()[at:], a)
	return at
}

func (c *caller) getAddr(ptr uint64) netip.AddrPort {
	a, _ := wasi.GetAddr(c.memory()[ptr:])
	return a
}

func (c *caller) putPath(where uint64, p string) {
	copy(c.memory()[where:], p)
}

func loopback(family uint64) netip.AddrPort {
	if family == wasi.AddressFamilyInet6 {
		return netip.AddrPortFrom(netip.IPv6Loopback(), 0)
	}
	return netip.MustParseAddrPort("127.0.0.1:0")
}

// unixSocket makes a Unix-domain socket or, on a system that has none, one of TCP.
func (c *caller) unixSocket() uint64 {
	c.t.Helper()
	if c.call("sock_unix_open", stream, out) != wasi.Success {
		return c.open(wasi.AddressFamilyInet4, stream)
	}
	return c.u32(out)
}

// boundUnixSocket is unixSocket bound to "sock1".
func (c *caller) boundUnixSocket() uint64 {
	fd := c.unixSocket()
	c.putPath(path, "sock1")
	c.call("sock_unix_bind", fd, path, pathLen)
	return fd
}

// listener makes a listening socket and returns it and its address.
func (c *caller) listener(family uint64) (uint64, netip.AddrPort) {
	c.t.Helper()
	fd := c.open(family, wasi.SocketTypeStream)
	c.must("sock_bind", fd, c.putAddr(loopback(family)))
	c.must("sock_listen", fd, 5)
	c.must("sock_addr_local", fd, out)
	return fd, c.getAddr(out)
}

// pair makes two connected streams.
func (c *caller) pair(family uint64) (client, server uint64) {
	c.t.Helper()
	l, a := c.listener(family)
	client = c.open(family, wasi.SocketTypeStream)
	c.must("sock_connect", client, c.putAddr(a))
	c.must("sock_accept", l, 0, out)
	return client, c.u32(out)
}

// datagrams makes two bound datagram sockets.
func (c *caller) datagrams(family uint64) (a, b uint64, addrA, addrB netip.AddrPort) {
	c.t.Helper()
	var fds [2]uint64
	var addrs [2]netip.AddrPort
	for i := range fds {
		fds[i] = c.open(family, wasi.SocketTypeDgram)
		c.must("sock_bind", fds[i], c.putAddr(loopback(family)))
		c.must("sock_addr_local", fds[i], out)
		addrs[i] = c.getAddr(out)
	}
	return fds[0], fds[1], addrs[0], addrs[1]
}

// goodCall is an import with arguments for a call that succeeds.
type goodCall struct {
	name string
	args func(c *caller) []uint64

	// fds and ptrs are the positions of arguments that are descriptors and pointers. A wrong
	// pointer must be EFAULT, a closed descriptor EBADF, and if sock, another descriptor than a
	// socket's ENOTSOCK.
	fds, ptrs []int
	sock      bool
}

func (c *caller) openFile() uint64 {
	c.t.Helper()
	c.putPath(path, "file1")
	c.must("path_open", dir, 1, path, pathLen, 0, uint64(wasi.RightsFile), 0, 0, out)
	return c.u32(out)
}

func args(a ...uint64) func(*caller) []uint64 {
	return func(*caller) []uint64 { return a }
}

func socketCall(typ uint64, rest ...uint64) func(*caller) []uint64 {
	return func(c *caller) []uint64 {
		return append([]uint64{c.open(wasi.AddressFamilyInet4, typ)},
			rest...)
	}
}

func fileCall(rest ...uint64) func(*caller) []uint64 {
	return func(c *caller) []uint64 { return append([]uint64{c.openFile()}, rest...) }
}

// pathCall returns arguments with the path p after args.
func pathCall(p string, args ...uint64) func(*caller) []uint64 {
	return func(c *caller) []uint64 {
		c.putPath(path, p)
		return args
	}
}

const (
	stream   = wasi.SocketTypeStream
	datagram = wasi.SocketTypeDgram
)

var goodCalls = slices.Concat([]goodCall{
	{"args_get", args(out, out2), nil, []int{0, 1}, false},
	{"args_sizes_get", args(out, out2), nil, []int{0, 1}, false},
	{"environ_get", args(out, out2), nil, []int{0, 1}, false},
	{"environ_sizes_get", args(out, out2), nil, []int{0, 1}, false},
	{"clock_res_get", args(0, out), nil, []int{1}, false},
	{"clock_time_get", args(1, 0, out), nil, []int{2}, false},
	{"random_get", args(out, 16), nil, []int{0}, false},
	{"sched_yield", args(), nil, nil, false},
	{"poll_oneoff", func(c *caller) []uint64 {
		clear(c.memory()[at : at+wasi.SizeSubscription])
		return []uint64{at, out, 1, out2}
	}, nil, []int{0, 1, 3}, false},

	{"fd_close", fileCall(), []int{0}, nil, false},
	{"fd_renumber", func(c *caller) []uint64 { return []uint64{c.openFile(), c.openFile()} },
		[]int{0, 1}, nil, false},
	{"fd_fdstat_get", args(stdin, out), []int{0}, []int{1}, false},
	{"fd_fdstat_set_flags", fileCall(uint64(wasi.FdflagAppend)), []int{0}, nil, false},
	{"fd_fdstat_set_rights", fileCall(0, 0), []int{0}, nil, false},
	{"fd_filestat_get", args(stdin, out), []int{0}, []int{1}, false},
	{"fd_read", fileCall(iov, 1, out2), []int{0}, []int{1, 3}, false},
	{"fd_write", args(stdout, iov, 1, out2), []int{0}, []int{1, 3}, false},
	{"fd_pread", fileCall(iov, 1, 0, out2), []int{0}, []int{1, 4}, false},
	{"fd_pwrite", fileCall(iov, 1, 0, out2), []int{0}, []int{1, 4}, false},
	{"fd_advise", fileCall(0, 0, 0), []int{0}, nil, false},
	{"fd_allocate", fileCall(0, 16), []int{0}, nil, false},
	{"fd_datasync", fileCall(), []int{0}, nil, false},
	{"fd_sync", fileCall(), []int{0}, nil, false},
	{"fd_filestat_set_size", fileCall(4), []int{0}, nil, false},
	{"fd_filestat_set_times", fileCall(1e9, 2e9, wasi.FstflagAtim|wasi.FstflagMtim), []int{0}, nil,
		false},
	{"fd_seek", fileCall(1, wasi.WhenceSet, out2), []int{0}, []int{3}, false},
	{"fd_tell", fileCall(out2), []int{0}, []int{1}, false},
	{"fd_prestat_get", args(dir, out), []int{0}, []int{1}, false},
	{"fd_prestat_dir_name", args(dir, out, 1), []int{0}, []int{1}, false},
	{"fd_readdir", args(dir, out, 256, 0, out3+256), []int{0}, []int{1, 4}, false},

	{"path_create_directory", pathCall("newer", dir, path, pathLen), []int{0}, []int{1}, false},
	{"path_remove_directory", pathCall("empty", dir, path, pathLen), []int{0}, []int{1}, false},
	{"path_unlink_file", pathCall("gone1", dir, path, pathLen), []int{0}, []int{1}, false},
	{"path_filestat_get", pathCall("file1", dir, 1, path, pathLen, out), []int{0}, []int{2, 4},
		false},
	{"path_filestat_set_times",
		pathCall("file1", dir, 1, path, pathLen, 1e9, 2e9, wasi.FstflagAtim|wasi.FstflagMtim),
		[]int{0}, []int{2}, false},
	{"path_open", pathCall("file1", dir, 1, path, pathLen, 0, uint64(wasi.RightFdRead), 0, 0, out),
		[]int{0}, []int{2, 8}, false},
	{"path_readlink", pathCall("link1", dir, path, pathLen, out, 16, out2), []int{0},
		[]int{1, 3, 5}, false},
	{"path_link", func(c *caller) []uint64 {
		c.putPath(path, "file1")
		c.putPath(path2, "hard1")
		return []uint64{dir, 0, path, pathLen, dir, path2, pathLen}
	}, []int{0, 4}, []int{2, 5}, false},
	{"path_rename", func(c *caller) []uint64 {
		c.putPath(path, "gone1")
		c.putPath(path2, "moved")
		return []uint64{dir, path, pathLen, dir, path2, pathLen}
	}, []int{0, 3}, []int{1, 4}, false},
	{"path_symlink", func(c *caller) []uint64 {
		c.putPath(path, "file1")
		c.putPath(path2, "soft1")
		return []uint64{path, pathLen, dir, path2, pathLen}
	}, []int{2}, []int{0, 3}, false},

	{"sock_open", args(minusOne, wasi.AddressFamilyInet4, stream, out), nil, []int{3}, false},
	{"sock_bind", func(c *caller) []uint64 {
		return []uint64{c.open(0, stream), c.putAddr(loopback(0))}
	}, []int{0}, []int{1}, true},
	{"sock_listen", func(c *caller) []uint64 {
		fd := c.open(0, stream)
		c.must("sock_bind", fd, c.putAddr(loopback(0)))
		return []uint64{fd, 5}
	}, []int{0}, nil, true},
	{"sock_accept", func(c *caller) []uint64 {
		l, a := c.listener(0)
		c.must("sock_connect", c.open(0, stream), c.putAddr(a))
		return []uint64{l, 0, out}
	}, []int{0}, []int{2}, true},
	{"sock_connect", func(c *caller) []uint64 {
		_, a := c.listener(0)
		return []uint64{c.open(0, stream), c.putAddr(a)}
	}, []int{0}, []int{1}, true},
	{"sock_close", socketCall(stream), []int{0}, nil, false},
	{"sock_send", func(c *caller) []uint64 {
		fd, _ := c.pair(0)
		return []uint64{fd, iov, 1, 0, out}
	}, []int{0}, []int{1, 4}, true},
	{"sock_send_to", func(c *caller) []uint64 {
		fd, _, _, b := c.datagrams(0)
		return []uint64{fd, iov, 1, 0, c.putAddr(b), out}
	}, []int{0}, []int{1, 4, 5}, true},
	{"sock_recv", func(c *caller) []uint64 {
		a, b := c.pair(0)
		c.must("sock_send", a, iov, 1, 0, out)
		return []uint64{b, iov, 1, 0, out, out2}
	}, []int{0}, []int{1, 4, 5}, true},
	{"sock_recv_from", func(c *caller) []uint64 {
		a, b, _, addrB := c.datagrams(0)
		c.must("sock_send_to", a, iov, 1, 0, c.putAddr(addrB), out)
		return []uint64{b, iov, 1, 0, out, out2}
	}, []int{0}, []int{1, 4, 5}, true},
	{"sock_shutdown", func(c *caller) []uint64 {
		a, _ := c.pair(0)
		return []uint64{a, 2}
	}, []int{0}, nil, true},
	{"sock_addr_local", socketCall(stream, out), []int{0}, []int{1}, true},
	{"sock_addr_remote", func(c *caller) []uint64 {
		a, _ := c.pair(0)
		return []uint64{a, out}
	}, []int{0}, []int{1}, true},
	{"sock_addr_resolve", func(c *caller) []uint64 {
		m := c.memory()
		copy(m[path:], "allowed.test\x00")
		copy(m[path2:], "80\x00")
		clear(m[at : at+wasi.SizeAddrHints])
		return []uint64{path, path2, at, out, 4, out + 1024}
	}, nil, []int{0, 1, 2, 3, 5}, false},

	{"sock_get_linger", socketCall(stream, out, out2), []int{0}, []int{1, 2}, true},
	{"sock_set_linger", socketCall(stream, 1, 5), []int{0}, nil, true},
	{"sock_get_recv_timeout", socketCall(stream, out), []int{0}, []int{1}, true},
	{"sock_get_send_timeout", socketCall(stream, out), []int{0}, []int{1}, true},
	{"sock_set_recv_timeout", socketCall(stream, 1000), []int{0}, nil, true},
	{"sock_set_send_timeout", socketCall(stream, 1000), []int{0}, nil, true},
	{"sock_get_ip_multicast_loop", socketCall(datagram, 0, out), []int{0}, []int{2}, true},
	{"sock_set_ip_multicast_loop", socketCall(datagram, 0, 1), []int{0}, nil, true},
	{"sock_set_ip_add_membership", func(c *caller) []uint64 {
		c.putAddr(netip.MustParseAddrPort("239.1.2.3:0"))
		return []uint64{c.open(0, datagram), at, 0x0100007f}
	}, []int{0}, []int{1}, true},
	{"sock_set_ip_drop_membership", func(c *caller) []uint64 {
		c.putAddr(netip.MustParseAddrPort("239.1.2.3:0"))
		fd := c.open(0, datagram)
		c.must("sock_set_ip_add_membership", fd, at, 0x0100007f)
		return []uint64{fd, at, 0x0100007f}
	}, []int{0}, []int{1}, true},

	{"sock_get_option", socketCall(stream, 1, out), []int{0}, []int{2}, true},
	{"sock_set_option", socketCall(stream, 3, 5), []int{0}, nil, true},
	{"sock_recv_msg", func(c *caller) []uint64 {
		a, b, _, addrB := c.datagrams(0)
		c.must("sock_send_to", a, iov, 1, 0, c.putAddr(addrB), out)
		return []uint64{b, iov, 1, 0, out, out2, out3}
	}, []int{0}, []int{1, 4, 5, 6}, true},
	{"sock_send_msg", func(c *caller) []uint64 {
		a, _, _, addrB := c.datagrams(0)
		return []uint64{a, iov, 1, 0, c.putAddr(addrB), out}
	}, []int{0}, []int{1, 4, 5}, true},
	{"sock_recv_control", func(c *caller) []uint64 {
		a, b, _, addrB := c.datagrams(0)
		c.must("sock_send_to", a, iov, 1, 0, c.putAddr(addrB), out)
		return []uint64{b, iov, 1, 0, out, out2, out3, out3 + 256}
	}, []int{0}, []int{1, 4, 5, 6, 7}, true},
	{"sock_send_control", func(c *caller) []uint64 {
		a, _, _, addrB := c.datagrams(0)
		c.putControl(controlData{})
		return []uint64{a, iov, 1, 0, c.putAddr(addrB), out, out3}
	}, []int{0}, []int{1, 4, 5, 6}, true},
	{"sock_interfaces", args(out, 1, out2), nil, []int{0, 2}, false},
	{"sock_disconnect", socketCall(datagram), []int{0}, nil, true},
	{"sock_resolve_records", func(c *caller) []uint64 {
		copy(c.memory()[path:], "allowed.test\x00")
		return []uint64{path, 1, out, 256, out2}
	}, nil, []int{0, 2, 4}, false},

	{"fd_pipe", args(0, out, out2), nil, []int{1, 2}, false},
	{"fd_event", args(1, 0, out), nil, []int{2}, false},
	{"fd_dup", fileCall(0, out), []int{0}, []int{2}, false},
	{"fd_dup_to", fileCall(20), []int{0}, nil, false},
	{"sock_pair", args(stream, 0, out, out2), nil, []int{2, 3}, false},
	{"sock_unix_open", args(stream, out), nil, []int{1}, false},
	{"sock_unix_bind", func(c *caller) []uint64 {
		c.putPath(path, "sock1")
		return []uint64{c.unixSocket(), path, pathLen}
	}, []int{0}, []int{1}, true},
	{"sock_unix_connect", func(c *caller) []uint64 {
		c.call("sock_listen", c.boundUnixSocket(), 5)
		return []uint64{c.unixSocket(), path, pathLen}
	}, []int{0}, []int{1}, true},
	{"sock_unix_path", func(c *caller) []uint64 {
		return []uint64{c.boundUnixSocket(), 0, out2, 8, out3}
	}, []int{0}, []int{2, 4}, true},
	{"fd_poll", func(c *caller) []uint64 {
		clear(c.memory()[at : at+8])
		return []uint64{at, 1, 0, out2}
	}, nil, []int{0, 3}, false},
	{"epoll_create", args(out), nil, []int{0}, false},
	{"epoll_control", func(c *caller) []uint64 {
		c.must("fd_event", 1, 0, out)
		counter := c.u32(out)
		c.must("epoll_create", out)
		return []uint64{c.u32(out), 1, counter, 1, 7}
	}, []int{0, 2}, nil, false},
	{"epoll_wait", func(c *caller) []uint64 {
		c.must("epoll_create", out)
		return []uint64{c.u32(out), out, 1, 0, out2}
	}, []int{0}, []int{1, 4}, false},
}, optionCalls(), edgeCalls())

// optionCalls are the get and set calls of the options with one value, with a valid value.
func optionCalls() (calls []goodCall) {
	for _, o := range []struct {
		name       string
		typ, value uint64
		six        uint64
	}{
		{"reuse_addr", stream, 1, 0}, {"reuse_port", stream, 1, 0}, {"keep_alive", stream, 1, 0},
		{"broadcast", datagram, 1, 0},
		{"recv_buf_size", stream, 8192, 0}, {"send_buf_size", stream, 8192, 0},
		{"tcp_no_delay", stream, 1, 0},
		{"tcp_quick_ack", stream, 1, 0}, {"tcp_fastopen_connect", stream, 1, 0},
		{"tcp_keep_idle", stream, 60, 0},
		{"tcp_keep_intvl", stream, 60, 0}, {"ip_ttl", stream, 60, 0},
		{"ip_multicast_ttl", datagram, 60, 0}, {"ipv6_only", stream, 1, 1},
	} {
		open := func(rest uint64) func(c *caller) []uint64 {
			return func(c *caller) []uint64 { return []uint64{c.open(o.six, o.typ), rest} }
		}
		calls = append(calls,
			goodCall{"sock_get_" + o.name, open(out), []int{0}, []int{1}, true},
			goodCall{"sock_set_" + o.name, open(o.value), []int{0}, nil, true})
	}
	return calls
}

// TestImportWithWrongPointerOrDescriptor makes each good call, and repeats it with each descriptor
// and each pointer wrong.
func TestImportWithWrongPointerOrDescriptor(t *testing.T) {
	for _, call := range goodCalls {
		t.Run(call.name, func(t *testing.T) {
			if call.name == "path_readlink" || call.name == "path_symlink" {
				needs.NotWine(t)
			}
			newNetCaller(t).checkGoodCall(call)
			for _, i := range call.ptrs {
				for _, p := range []uint64{nowhere, bad, memorySize} {
					c := newNetCaller(t)
					a := slices.Clone(call.args(c))
					if p == bad && oneByte(call.name, i) {
						continue
					}
					before := slices.Clone(c.memory())
					a[i] = p
					if e := c.call(call.name, a...); e != wasi.EFAULT {
						t.Errorf("argument %d = %#x: got %v, want %v", i, p, e, wasi.EFAULT)
					}
					if !slices.Equal(before, c.memory()) {
						t.Errorf("argument %d = %#x: got memory changed, want it unchanged", i, p)
					}
				}
			}
			for _, i := range call.fds {
				c := newNetCaller(t)
				a := slices.Clone(call.args(c))
				for _, fd := range []uint64{closed, minusOne, 1 << 31} {
					a[i] = fd
					if e := c.call(call.name, a...); e != wasi.EBADF {
						t.Errorf("fd %d: got %v, want %v", int32(fd), e, wasi.EBADF)
					}
				}
				if call.sock {
					for _, fd := range []uint64{stdin, dir} {
						a[i] = fd
						if e := c.call(call.name, a...); e != wasi.ENOTSOCK {
							t.Errorf("fd %d, no socket: got %v, want %v", fd, e, wasi.ENOTSOCK)
						}
					}
				}
			}
		})
	}
}

func (c *caller) checkGoodCall(call goodCall) {
	c.t.Helper()
	a := slices.Clone(call.args(c))
	want := wasi.Success
	if strings.HasPrefix(call.name, "sock_unix_") {
		want = unixSockets
	}
	if e := c.call(call.name, a...); e != want {
		c.t.Errorf("good arguments %v: got %v, want %v", a, e, want)
	}
}

// oneByte reports whether an argument points to a single byte.
func oneByte(name string, arg int) bool {
	if name == "sock_get_linger" {
		return arg == 1
	}
	for _, o := range []string{"buf_size", "keep_idle", "keep_intvl", "timeout", "option"} {
		if strings.Contains(name, o) {
			return false
		}
	}
	return strings.HasPrefix(name, "sock_get_") || name == "fd_prestat_dir_name" ||
		name == "sock_addr_resolve" && arg < 2 || name == "sock_resolve_records" && arg == 0
}

// TestEveryImportIsTested compares goodCalls with the tables of the dialects.
func TestEveryImportIsTested(t *testing.T) {
	tested := make(map[string]bool)
	for _, call := range goodCalls {
		tested[call.name] = true
	}
	tested["proc_exit"], tested["proc_raise"] = true, true // tested by TestProcExitEndsGuest
	for module, functions := range abi.Functions() {
		for _, f := range functions {
			if name := exportName(module, f); !tested[name] {
				t.Errorf("%s.%s: got no row in goodCalls, want one", module, name)
			}
		}
	}
}
