package abi

import (
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// unixSockets has those functions of module wasport_sockets that make Unix-domain sockets and take
// paths for addresses. The other functions for sockets work on them as on TCP's. Source:
// docs/abi.md.
var unixSockets = []row{
	{"sock_unix_open", "ii", "i", "do", sockUnixOpen},
	{"sock_unix_bind", "iii", "i", "fs-", sockUnixBind},
	{"sock_unix_connect", "iii", "i", "fs-", sockUnixConnect},
	{"sock_unix_path", "iiiii", "i", "fdpdo", sockUnixPath},
}

func sockUnixOpen(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[1]), 4); e != wasi.Success {
		return e
	}
	if int32(a[0]) != wasi.SocketTypeStream {
		return wasi.EPROTONOSUPPORT
	}
	fd, err := c.Open(network.Unix, network.Stream)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(a[1]), uint32(fd))
}

func sockUnixBind(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return c.withPath(m, a[1], a[2], func(path string) error {
		return c.BindUnix(int32(a[0]), path)
	})
}

func sockUnixConnect(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return c.withPath(m, a[1], a[2], func(path string) error {
		return c.ConnectUnix(int32(a[0]), path)
	})
}

// sockUnixPath implements sock_unix_path(fd, peer, buffer, capacity, out length). It writes as much
// of the path as there is room for, and the length of the whole path.
func sockUnixPath(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	out, e := m.Slice(uint32(a[2]), uint32(a[3]))
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[4]), 4); e != wasi.Success {
		return e
	}
	if uint32(a[1]) > 1 {
		return wasi.EINVAL
	}
	path, err := c.UnixPath(int32(a[0]), uint32(a[1]) == 1)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	copy(out, path)
	return m.PutUint32(uint32(a[4]), uint32(len(path)))
}
