package abi

import (
	"encoding/binary"
	"math"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// ipc has those functions of module wasport_sockets that make descriptors which talk to each other
// within the guest, and epoll(7). Source: docs/abi.md.
var ipc = []row{
	{"fd_pipe", "iii", "i", "xoo", fdPipe},
	{"fd_event", "iii", "i", "dxo", fdEvent},
	{"fd_dup", "iii", "i", "fdo", fdDup},
	{"fd_dup_to", "ii", "i", "fd", fdDupTo},
	{"sock_pair", "iiii", "i", "dxoo", sockPair},
	{"fd_poll", "iiIi", "i", "F-Do", fdPoll},
	{"epoll_create", "i", "i", "o", epollCreate},
	{"epoll_control", "iiiiI", "i", "fdfxD", epollControl},
	{"epoll_wait", "iiiIi", "i", "fpdDo", epollWait},
}

// Flags of fd_pipe, sock_pair and fd_event. The first is that of preview 1.
const (
	flagNonblock  = uint32(wasi.FdflagNonblock)
	flagSemaphore = 1
)

// twoResults checks the places of two descriptors.
func twoResults(m wasi.MemoryView, a []uint64) wasi.Errno {
	for _, at := range a[:2] {
		if e := m.Check(uint32(at), 4); e != wasi.Success {
			return e
		}
	}
	return wasi.Success
}

// putTwo stores two descriptors in the places that twoResults has checked.
func putTwo(m wasi.MemoryView, a []uint64, first, second int32, err error) wasi.Errno {
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	m.PutUint32(uint32(a[0]), uint32(first))
	return m.PutUint32(uint32(a[1]), uint32(second))
}

func fdPipe(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := twoResults(m, a[1:]); e != wasi.Success {
		return e
	}
	flags := uint32(a[0])
	if flags&^flagNonblock != 0 {
		return wasi.EINVAL
	}
	reader, writer, err := c.Pipe(flags != 0)
	return putTwo(m, a[1:], reader, writer, err)
}

func sockPair(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := twoResults(m, a[2:]); e != wasi.Success {
		return e
	}
	typ, ok := map[uint32]network.Type{
		wasi.SocketTypeDgram: network.Datagram, wasi.SocketTypeStream: network.Stream,
	}[uint32(a[0])]
	flags := uint32(a[1])
	if !ok || flags&^flagNonblock != 0 {
		return wasi.EINVAL
	}
	first, second, err := c.Pair(typ, flags != 0)
	return putTwo(m, a[2:], first, second, err)
}

func fdEvent(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[2]), 4); e != wasi.Success {
		return e
	}
	flags := uint32(a[1])
	if flags&^(flagNonblock|flagSemaphore) != 0 {
		return wasi.EINVAL
	}
	fd, err := c.Counter(uint32(a[0]), flags&flagSemaphore != 0, flags&flagNonblock != 0)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(a[2]), uint32(fd))
}

func fdDup(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[2]), 4); e != wasi.Success {
		return e
	}
	fd, err := c.Dup(int32(a[0]), int32(a[1]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(a[2]), uint32(fd))
}

func fdDupTo(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return wasi.ErrnoOf(c.DupTo(int32(a[0]), int32(a[1])))
}

func epollCreate(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[0]), 4); e != wasi.Success {
		return e
	}
	fd, err := c.EpollCreate()
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint32(uint32(a[0]), uint32(fd))
}

func epollControl(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return wasi.ErrnoOf(c.EpollControl(int32(a[0]), system.EpollOp(a[1]), int32(a[2]),
		system.EpollEvents(a[3]), a[4]))
}

// sizeEpollEvent is the size in bytes of struct epoll_event: events, padding, and the data.
const sizeEpollEvent = 16

// epollWait implements epoll_wait(fd, events, capacity, time-out, out count). The bound of the
// capacity is that of poll_oneoff.
func epollWait(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	capacity := int32(a[2])
	if capacity <= 0 || capacity > math.MaxInt32/sizeEpollEvent {
		return wasi.EINVAL // as in fs/eventpoll.c, EP_MAX_EVENTS
	}
	capacity = min(capacity, maxSubscriptions)
	out, e := m.Slice(uint32(a[1]), uint32(capacity)*sizeEpollEvent)
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[4]), 4); e != wasi.Success {
		return e
	}
	ready, err := c.EpollWait(int32(a[0]), int(capacity), int64(a[3]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	for i, event := range ready {
		b := out[i*sizeEpollEvent:][:sizeEpollEvent]
		binary.LittleEndian.PutUint64(b, uint64(event.Events))
		binary.LittleEndian.PutUint64(b[8:], event.Data)
	}
	return m.PutUint32(uint32(a[4]), uint32(len(ready)))
}
