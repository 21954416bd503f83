package abi

import (
	"encoding/binary"
	"math"
	"syscall"

	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// edgeOption implements an option of sock_getsockopt and sock_setsockopt. Its value has size bytes.
// If get or set is nil, that direction is ENOPROTOOPT.
type edgeOption struct {
	size uint32
	get  func(*Caller, int32, []byte) error
	set  func(*Caller, int32, []byte) error
}

// Levels of options. WasmEdge has the first only; wasi-go has TCP_NODELAY at the second.
const (
	edgeLevelSocket = 0
	edgeLevelTCP    = 6
)

type edgeOptionName struct{ level, name uint32 }

// edgeOptions are the options by level and name. Source: WasmEdge's wasi/api.hpp,
// __wasi_sock_opt_so_t.
var edgeOptions = map[edgeOptionName]edgeOption{
	{edgeLevelSocket, 0}:  edgeFlag(network.ReuseAddr),
	{edgeLevelSocket, 1}:  {size: 4, get: edgeGetType},
	{edgeLevelSocket, 2}:  {size: 4, get: edgeGetError},
	{edgeLevelSocket, 3}:  {size: 4}, // SO_DONTROUTE
	{edgeLevelSocket, 4}:  edgeFlag(network.Broadcast),
	{edgeLevelSocket, 5}:  edgeNumber(network.SendBuffer),
	{edgeLevelSocket, 6}:  edgeNumber(network.RecvBuffer),
	{edgeLevelSocket, 7}:  edgeFlag(network.KeepAlive),
	{edgeLevelSocket, 8}:  {size: 4, set: edgeSetFixed(0)}, // SO_OOBINLINE
	{edgeLevelSocket, 9}:  {size: 8, get: edgeGetLinger, set: edgeSetLinger},
	{edgeLevelSocket, 10}: {size: 4, set: edgeSetFixed(1)}, // SO_RCVLOWAT
	{edgeLevelSocket, 11}: {size: 16, get: edgeGetRecvTimeout,
		set: edgeSetTimeout((*Caller).SetRecvTimeout)},
	{edgeLevelSocket, 12}: {size: 16, get: edgeGetSendTimeout,
		set: edgeSetTimeout((*Caller).SetSendTimeout)},
	{edgeLevelSocket, 13}: {size: 4, get: edgeGet(network.AcceptConn)},
	{edgeLevelTCP, 15}:    edgeFlag(network.NoDelay),
}

// edgeBindToDevice is SO_BINDTODEVICE (socket(7)). It would reveal the names of the host's
// interfaces.
var edgeBindToDevice = edgeOptionName{edgeLevelSocket, 14}

// maxOptionSize is the size of the longest value in bytes.
const maxOptionSize = 16

// minPointer separates the two forms of sock_getsockopt's fifth argument. WasmEdge and the Rust
// crate wasmedge_wasi_socket pass a pointer to the buffer's size; github.com/stealthrocket/net and
// wasi-go pass the size itself, which is 4. No compiler places a variable below minPointer: wasm-ld
// puts data at 1,024, Go at 4,096.
const minPointer = 1024

// edgeGetOption implements sock_getsockopt(fd, level, name, out value, size or in-out size). A
// value that does not fit is cut (getsockopt(2)).
func edgeGetOption(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	size, sizePtr := uint32(a[4]), uint32(0)
	if size >= minPointer {
		var e wasi.Errno
		sizePtr = size
		if size, e = m.Uint32(sizePtr); e != wasi.Success {
			return e
		}
	}
	out, e := m.Slice(uint32(a[3]), min(size, maxOptionSize))
	if e != wasi.Success {
		return e
	}
	o, e := edgeOptionOf(c, a)
	if e != wasi.Success {
		return e
	}
	if o.get == nil {
		return wasi.ENOPROTOOPT
	}
	var value [maxOptionSize]byte
	if err := o.get(c, int32(a[0]), value[:o.size]); err != nil {
		return wasi.ErrnoOf(err)
	}
	n := copy(out, value[:o.size])
	if sizePtr != 0 {
		return m.PutUint32(sizePtr, uint32(n))
	}
	return wasi.Success
}

// edgeSetOption implements sock_setsockopt(fd, level, name, value, size).
func edgeSetOption(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	raw, e := m.Slice(uint32(a[3]), uint32(a[4]))
	if e != wasi.Success {
		return e
	}
	o, e := edgeOptionOf(c, a)
	switch {
	case e != wasi.Success:
		return e
	case o.set == nil:
		return wasi.ENOPROTOOPT
	case len(raw) < int(o.size):
		return wasi.EINVAL
	}
	var value [maxOptionSize]byte
	copy(value[:o.size], raw)
	return wasi.ErrnoOf(o.set(c, int32(a[0]), value[:o.size]))
}

// edgeOptionOf returns an option. An unknown option is EINVAL; errors of the descriptor take
// precedence over those of a known one.
func edgeOptionOf(c *Caller, a []uint64) (edgeOption, wasi.Errno) {
	name := edgeOptionName{uint32(a[1]), uint32(a[2])}
	o, known := edgeOptions[name]
	if !known && name != edgeBindToDevice {
		return o, wasi.EINVAL
	}
	if _, err := c.LocalAddr(int32(a[0])); err != nil {
		return o, wasi.ErrnoOf(err)
	}
	if !known {
		return o, wasi.ENOTSUP
	}
	return o, wasi.Success
}

func edgeGet(o network.Option) func(*Caller, int32, []byte) error {
	return func(c *Caller, fd int32, value []byte) error {
		v, err := c.Option(fd, o)
		putInt(value, v)
		return err
	}
}

func putInt(value []byte, v int64) {
	binary.LittleEndian.PutUint32(value, uint32(min(v, math.MaxInt32)))
}

func getInt(value []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(value))) }

func edgeNumber(o network.Option) edgeOption {
	return edgeOption{size: 4, get: edgeGet(o), set: func(c *Caller, fd int32, value []byte) error {
		return c.SetOption(fd, o, getInt(value))
	}}
}

func edgeFlag(o network.Option) edgeOption {
	return edgeOption{size: 4, get: edgeGet(o), set: func(c *Caller, fd int32, value []byte) error {
		return c.SetOption(fd, o, int64(bit(getInt(value) != 0)))
	}}
}

// edgeSetFixed accepts only the value that an option always has.
func edgeSetFixed(v int64) func(*Caller, int32, []byte) error {
	return func(_ *Caller, _ int32, value []byte) error {
		if getInt(value) != v {
			return syscall.ENOPROTOOPT
		}
		return nil
	}
}

func edgeGetType(c *Caller, fd int32, value []byte) error {
	stat, err := c.Fdstat(fd)
	typ := int64(wasi.EdgeTypeStream)
	if stat.Type == wasi.FiletypeSocketDgram {
		typ = wasi.EdgeTypeDgram
	}
	putInt(value, typ)
	return err
}

// edgeGetError returns the pending error as a WASI errno, since guests compare it with their own
// numbers.
func edgeGetError(c *Caller, fd int32, value []byte) error {
	v, err := c.Option(fd, network.PendingError)
	putInt(value, int64(wasi.FromHost(syscall.Errno(v))))
	return err
}

func edgeGetLinger(c *Caller, fd int32, value []byte) error {
	v, err := c.Option(fd, network.Linger)
	putInt(value, int64(bit(v >= 0)))
	putInt(value[4:], max(v, 0))
	return err
}

func edgeSetLinger(c *Caller, fd int32, value []byte) error {
	v := int64(-1)
	if getInt(value) != 0 {
		if v = getInt(value[4:]); v < 0 {
			return syscall.EINVAL
		}
	}
	return c.SetOption(fd, network.Linger, v)
}

func edgeGetRecvTimeout(c *Caller, fd int32, value []byte) error {
	recv, _, err := c.Timeouts(fd)
	putTimeval(value, recv)
	return err
}

func edgeGetSendTimeout(c *Caller, fd int32, value []byte) error {
	_, send, err := c.Timeouts(fd)
	putTimeval(value, send)
	return err
}

const usecPerSec = 1_000_000

func putTimeval(value []byte, usec uint64) {
	binary.LittleEndian.PutUint64(value, usec/usecPerSec)
	binary.LittleEndian.PutUint64(value[8:], usec%usecPerSec)
}

// edgeSetTimeout decodes a struct timeval of wasm32. A value out of range is EDOM (POSIX,
// setsockopt, SO_RCVTIMEO).
func edgeSetTimeout(set func(*Caller, int32, uint64) error) func(*Caller, int32, []byte) error {
	return func(c *Caller, fd int32, value []byte) error {
		sec := int64(binary.LittleEndian.Uint64(value))
		usec := int64(binary.LittleEndian.Uint64(value[8:]))
		if sec < 0 || usec < 0 || usec >= usecPerSec {
			return syscall.EDOM
		}
		if sec > math.MaxInt64/usecPerSec-1 { // as long as for ever
			sec, usec = 0, 0
		}
		return set(c, fd, uint64(sec)*usecPerSec+uint64(usec))
	}
}
