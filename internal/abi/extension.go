package abi

import (
	"encoding/binary"
	"math"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// extension has the functions of module wasport_sockets: features of POSIX that WAMR's functions
// lack. Source: docs/abi.md.
var extension = []row{
	{"sock_get_option", "iii", "i", "fdq", sockGetOption},
	{"sock_set_option", "iiI", "i", "fdD", sockSetOption},
	{"sock_recv_msg", "iiiiiii", "i", "fV-xAoo", sockRecvMsg},
	{"sock_send_msg", "iiiiii", "i", "fv-xao", sockSendMsg},
	{"sock_recv_control", "iiiiiiii", "i", "fV-xAoop", sockRecvControl},
	{"sock_send_control", "iiiiiii", "i", "fv-xaop", sockSendControl},
	{"sock_interfaces", "iii", "i", "pdo", sockInterfaces},
	{"sock_disconnect", "i", "i", "f", sockDisconnect},
	{"sock_resolve_records", "iiiii", "i", "zdpdo", sockResolveRecords},
}

// extraOptions are the options of sock_get_option and sock_set_option by number. The value of a set
// must be from min to max; if max is less than min, the option cannot be set.
var extraOptions = map[uint32]struct {
	option   network.Option
	min, max int64
}{
	1:  {network.PendingError, 0, -1},
	2:  {network.AcceptConn, 0, -1},
	3:  {network.KeepCount, 1, 127},
	4:  {network.MaxSegment, 0, 1<<31 - 1},
	5:  {network.TOS, 0, 255},
	6:  {network.MulticastInterface4, 0, 1<<32 - 1},
	7:  {network.HopLimit, -1, 255},
	8:  {network.MulticastHops, -1, 255},
	9:  {network.MulticastInterface6, 0, 1<<31 - 1},
	10: {network.TrafficClass, -1, 255},
	11: {network.UserTimeout, 0, 1<<31 - 1},
	12: {network.RecvPacketInfo4, 0, 1},
	13: {network.RecvTTL, 0, 1},
	14: {network.RecvTOS, 0, 1},
	15: {network.RecvPacketInfo6, 0, 1},
	16: {network.RecvHopLimit, 0, 1},
	17: {network.RecvTrafficClass, 0, 1},
	18: {network.RecvTimestamp, 0, 1},
}

func sockGetOption(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[2]), 8); e != wasi.Success {
		return e
	}
	o, ok := extraOptions[uint32(a[1])]
	if !ok {
		return wasi.EINVAL
	}
	v, err := c.Option(int32(a[0]), o.option)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	if o.option == network.PendingError {
		v = int64(wasi.FromHost(syscall.Errno(v)))
	}
	return m.PutUint64(uint32(a[2]), uint64(v))
}

func sockSetOption(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	o, ok := extraOptions[uint32(a[1])]
	v := int64(a[2])
	switch {
	case !ok:
		return wasi.EINVAL
	case o.max < o.min: // errors of the descriptor take precedence
		if _, err := c.LocalAddr(int32(a[0])); err != nil {
			return wasi.ErrnoOf(err)
		}
		return wasi.ENOPROTOOPT
	case v < o.min || v > o.max:
		return wasi.EINVAL
	}
	return wasi.ErrnoOf(c.SetOption(int32(a[0]), o.option, v))
}

// Flags of sock_recv_msg and sock_send_msg. The lower bits of the former are riflags.
const (
	msgDontWait  = 4
	msgTruncated = 1
	msgStreamed  = 2
)

func sockRecvMsg(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return recvMsg(c, m, a, nil)
}

// recvMsg also fills in the control data of a datagram, unless control is nil.
func recvMsg(c *Caller, m wasi.MemoryView, a []uint64, control *network.Control) wasi.Errno {
	from, e := sliceOrNil(m, a[4], wasi.SizeAddr)
	if e != wasi.Success {
		return e
	}
	outFlags, e := sliceOrNil(m, a[6], 4)
	if e != wasi.Success {
		return e
	}
	r, e := c.receive(m, a[0], a[1], a[2], a[3], a[5], wasi.Riflags|msgDontWait, control)
	if e != wasi.Success {
		return e
	}
	if from != nil {
		wasi.PutAddr(from, r.From)
	}
	if outFlags != nil {
		flags := uint32(0)
		if r.Truncated {
			flags = msgTruncated
		}
		if c.IsStream(int32(a[0])) {
			flags |= msgStreamed
		}
		binary.LittleEndian.PutUint32(outFlags, flags)
	}
	return wasi.Success
}

func sockSendMsg(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return sendMsg(c, m, a, nil)
}

// sendMsg also sends control data, unless control is nil.
func sendMsg(c *Caller, m wasi.MemoryView, a []uint64, control *network.Control) wasi.Errno {
	var to netip.AddrPort
	if uint32(a[4]) != 0 {
		var e wasi.Errno
		if to, e = getAddr(m, a[4]); e != wasi.Success {
			return e
		}
	}
	how := system.TransferFlags(a[3])
	if uint32(a[3])&^msgDontWait != 0 {
		return wasi.EINVAL
	}
	bufs, e := c.buffers(m, a[1], a[2], a[5])
	if e != wasi.Success {
		return e
	}
	var n int
	var err error
	if control != nil {
		n, err = c.SendControl(int32(a[0]), bufs, to, how, control)
	} else {
		n, err = c.Send(int32(a[0]), bufs, to, how)
	}
	return putCount(m, a[5], n, err)
}

func sockDisconnect(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return wasi.ErrnoOf(c.Disconnect(int32(a[0])))
}

// recordGarbage is how many bytes the host allocates for each byte of a reply of the DNS, about: an
// answer with a compressed name has 12, and its decoded names 512.
const recordGarbage = 64

// sockResolveRecords implements sock_resolve_records(name, type, reply, size, out length).
func sockResolveRecords(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	host, e := m.CString(uint32(a[0]), maxName)
	if e != wasi.Success {
		return e
	}
	out, e := m.Slice(uint32(a[2]), uint32(a[3]))
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[4]), 4); e != wasi.Success {
		return e
	}
	if uint32(a[1]) > math.MaxUint16 {
		return wasi.EINVAL
	}
	reply, err := c.ResolveRecords(host, uint16(a[1]))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	c.ChargeGarbage(recordGarbage * len(reply))
	copy(out, reply)
	return m.PutUint32(uint32(a[4]), uint32(len(reply)))
}

// Sizes in bytes: an entry of sock_interfaces, and the name in it.
const (
	sizeInterface = 56
	sizeName      = 20
)

// interfaceGarbage is how many bytes the host allocates for each address that it lists, about.
const interfaceGarbage = 10 << 10

func sockInterfaces(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	capacity := uint32(a[1])
	if uint64(capacity)*sizeInterface > uint64(len(m)) {
		return wasi.EFAULT
	}
	out, e := m.Slice(uint32(a[0]), capacity*sizeInterface)
	if e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[2]), 4); e != wasi.Success {
		return e
	}
	found, err := c.Interfaces()
	c.ChargeGarbage(interfaceGarbage * (1 + len(found)))
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	for i, f := range found[:min(len(found), int(capacity))] {
		b := out[i*sizeInterface:][:sizeInterface]
		clear(b)
		wasi.PutAddr(b, netip.AddrPortFrom(f.Prefix.Addr(), 0))
		binary.LittleEndian.PutUint32(b[24:], uint32(f.Prefix.Bits()))
		binary.LittleEndian.PutUint32(b[28:], f.Index)
		binary.LittleEndian.PutUint32(b[32:], uint32(f.Flags))
		copy(b[36:36+sizeName-1], f.Name)
	}
	return m.PutUint32(uint32(a[2]), uint32(len(found)))
}
