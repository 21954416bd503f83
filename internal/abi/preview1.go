package abi

import (
	"math"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// preview1 has the functions of WASI preview 1; those for files and directories are in files.go.
// Source: wasi_snapshot_preview1.witx in the WASI repository.
var preview1 = append([]row{
	{"args_get", "ii", "i", "", argsGet},
	{"args_sizes_get", "ii", "i", "", argsSizesGet},
	{"environ_get", "ii", "i", "", environGet},
	{"environ_sizes_get", "ii", "i", "", environSizesGet},
	{"clock_res_get", "ii", "i", "", clockResGet},
	{"clock_time_get", "iIi", "i", "", clockTimeGet},
	{"random_get", "ii", "i", "", randomGet},
	{"sched_yield", "", "i", "", schedYield},
	{"proc_exit", "i", "", "", procExit},
	{"proc_raise", "i", "i", "", procRaise},
	{"poll_oneoff", "iiii", "i", "PEdo", pollOneoff},

	{"fd_close", "i", "i", "f", fdClose},
	{"fd_renumber", "ii", "i", "ff", fdRenumber},
	{"fd_fdstat_get", "ii", "i", "fp", fdFdstatGet},
	{"fd_fdstat_set_flags", "ii", "i", "fx", fdFdstatSetFlags},
	{"fd_fdstat_set_rights", "iII", "i", "fxx", fdFdstatSetRights},
	{"fd_filestat_get", "ii", "i", "fp", fdFilestatGet},
	{"fd_read", "iiii", "i", "fV-o", fdRead},
	{"fd_write", "iiii", "i", "fv-o", fdWrite},

	{"sock_accept", "iii", "i", "fxo", sockAccept},
	{"sock_recv", "iiiiii", "i", "fV-xoh", sockRecv},
	{"sock_send", "iiiii", "i", "fv-xo", sockSend},
	{"sock_shutdown", "ii", "i", "fx", sockShutdown},
}, files...)

func argsGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return putStrings(m, c.Args(), uint32(a[0]), uint32(a[1]))
}

func argsSizesGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return putSizes(m, c.Args(), uint32(a[0]), uint32(a[1]))
}

func environGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return putStrings(m, c.Env(), uint32(a[0]), uint32(a[1]))
}

func environSizesGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return putSizes(m, c.Env(), uint32(a[0]), uint32(a[1]))
}

// putStrings writes an array of pointers at ptrs, and at chars the NUL-terminated strings that they
// point to.
func putStrings(m wasi.MemoryView, list []string, ptrs, chars uint32) wasi.Errno {
	size := uint32(0)
	for _, s := range list {
		size += uint32(len(s)) + 1
	}
	if e := m.Check(ptrs, 4*uint32(len(list))); e != wasi.Success {
		return e
	}
	buf, e := m.Slice(chars, size)
	if e != wasi.Success {
		return e
	}
	for _, s := range list {
		m.PutUint32(ptrs, chars)
		n := copy(buf, s)
		buf[n] = 0
		buf = buf[n+1:]
		ptrs += 4
		chars += uint32(n) + 1
	}
	return wasi.Success
}

func putSizes(m wasi.MemoryView, list []string, count, bytes uint32) wasi.Errno {
	size := uint32(0)
	for _, s := range list {
		size += uint32(len(s)) + 1
	}
	if e := m.Check(bytes, 4); e != wasi.Success {
		return e
	}
	if e := m.PutUint32(count, uint32(len(list))); e != wasi.Success {
		return e
	}
	return m.PutUint32(bytes, size)
}

func clockResGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	ns, err := c.Resolution(uint32(a[0]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint64(uint32(a[1]), ns)
}

func clockTimeGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	ns, err := c.Now(uint32(a[0]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint64(uint32(a[2]), ns)
}

func randomGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	b, e := m.Slice(uint32(a[0]), uint32(a[1]))
	if e != wasi.Success {
		return e
	}
	return wasi.ErrnoOf(c.Random(b))
}

func schedYield(c *Caller, _ wasi.MemoryView, _ []uint64) wasi.Errno {
	c.Yield()
	return wasi.Success
}

func procExit(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	c.Kill(&system.Exit{Code: uint32(a[0])})
	return wasi.Success
}

// procRaise supports no signal: a guest has no handlers.
func procRaise(*Caller, wasi.MemoryView, []uint64) wasi.Errno { return wasi.ENOSYS }

func fdClose(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return wasi.ErrnoOf(c.CloseFD(int32(a[0])))
}

func fdRenumber(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return wasi.ErrnoOf(c.Renumber(int32(a[0]), int32(a[1])))
}

func fdFdstatGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	b, e := m.Slice(uint32(a[1]), wasi.SizeFdstat)
	if e != wasi.Success {
		return e
	}
	s, err := c.Fdstat(int32(a[0]))
	if err == nil {
		s.Put(b)
	}
	return wasi.ErrnoOf(err)
}

func fdFdstatSetFlags(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return wasi.ErrnoOf(c.SetFlags(int32(a[0]), wasi.Fdflags(fit16(a[1]))))
}

func fdFdstatSetRights(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return wasi.ErrnoOf(c.SetRights(int32(a[0]), wasi.Rights(a[1]), wasi.Rights(a[2])))
}

func fdFilestatGet(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	b, e := m.Slice(uint32(a[1]), wasi.SizeFilestat)
	if e != wasi.Success {
		return e
	}
	s, err := c.Filestat(int32(a[0]))
	if err == nil {
		s.Put(b)
	}
	return wasi.ErrnoOf(err)
}

func fdRead(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	bufs, e := c.buffers(m, a[1], a[2], a[3])
	if e != wasi.Success {
		return e
	}
	n, err := c.Read(int32(a[0]), bufs)
	return putCount(m, a[3], n, err)
}

func fdWrite(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	bufs, e := c.buffers(m, a[1], a[2], a[3])
	if e != wasi.Success {
		return e
	}
	n, err := c.Write(int32(a[0]), bufs)
	return putCount(m, a[3], n, err)
}

// buffers returns those of the iovecs for a call that moves bytes, and checks the pointer to their
// count, which putCount writes.
func (c *Caller) buffers(m wasi.MemoryView, ptr, count, out uint64) ([][]byte, wasi.Errno) {
	if e := m.Check(uint32(out), 4); e != wasi.Success {
		return nil, e
	}
	bufs, _, e := c.decodeIovecs(m, ptr, count)
	return bufs, e
}

// putCount writes the number of bytes that a call has moved, unless it failed.
func putCount(m wasi.MemoryView, out uint64, n int, err error) wasi.Errno {
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(out), uint32(n))
}

func sockAccept(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[2]), 4); e != wasi.Success {
		return e
	}
	flags := wasi.Fdflags(fit16(a[1]))
	if flags&^wasi.FdflagsAll != 0 {
		return wasi.EINVAL
	}
	fd, err := c.Accept(int32(a[0]), flags&wasi.FdflagNonblock != 0)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(a[2]), uint32(fd))
}

func sockRecv(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[5]), 2); e != wasi.Success {
		return e
	}
	r, e := c.receive(m, a[0], a[1], a[2], a[3], a[4], wasi.Riflags, nil)
	if e != wasi.Success {
		return e
	}
	flags := uint16(0)
	if r.Truncated {
		flags = wasi.RoflagDataTruncated
	}
	return m.PutUint16(uint32(a[5]), flags)
}

// receive is the common part of all functions that receive from a socket. control is nil, or the
// place for control data.
func (c *Caller) receive(m wasi.MemoryView, fd, iovs, count, riflags, out uint64,
	allowed uint32, control *network.Control) (network.Received, wasi.Errno) {
	if e := m.Check(uint32(out), 4); e != wasi.Success {
		return network.Received{}, e
	}
	if uint32(riflags)&^allowed != 0 {
		return network.Received{}, wasi.EINVAL
	}
	bufs, _, e := c.decodeIovecs(m, iovs, count)
	if e != wasi.Success {
		return network.Received{}, e
	}
	how := system.TransferFlags(riflags) // riflags are Peek and WaitAll
	var r network.Received
	var err error
	if control != nil {
		r, err = c.RecvControl(int32(fd), bufs, how, control)
	} else {
		r, err = c.Recv(int32(fd), bufs, how)
	}
	if err != nil {
		return r, wasi.ErrnoOf(err)
	}
	return r, m.PutUint32(uint32(out), uint32(r.N))
}

func sockSend(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	bufs, e := c.buffers(m, a[1], a[2], a[4])
	if e != wasi.Success {
		return e
	}
	n, err := c.Send(int32(a[0]), bufs, noAddress, 0)
	return putCount(m, a[4], n, err)
}

func sockShutdown(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return wasi.ErrnoOf(c.Shutdown(int32(a[0]), network.How(min(uint32(a[1]), math.MaxUint8))))
}

// fit16 returns an argument of 16 bits, or one with undefined flags if more bits are set, so that
// it is refused like these.
func fit16(v uint64) uint16 { return uint16(min(uint32(v), math.MaxUint16)) }
