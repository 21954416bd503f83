package abi

import (
	"encoding/binary"
	"net/netip"

	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// width is the size of an option's value. sock_set_* takes the value itself; sock_get_* writes that
// many bytes.
type width uint8

const (
	flag    width = iota // 1 byte, 0 or 1; sock_set_* looks at the low 8 bits
	oneByte              // 1 byte
	word                 // 4 bytes
)

// wamrOptions has the functions of WAMR's wasi_socket_ext.h for socket options.
func wamrOptions() []row {
	functions := []row{
		{"sock_get_recv_timeout", "ii", "i", "fq",
			func(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
				recv, _, err := c.Timeouts(int32(a[0]))
				return putTimeout(m, a[1], recv, err)
			}},
		{"sock_get_send_timeout", "ii", "i", "fq",
			func(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
				_, send, err := c.Timeouts(int32(a[0]))
				return putTimeout(m, a[1], send, err)
			}},
		{"sock_set_recv_timeout", "iI", "i", "fD",
			func(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
				return wasi.ErrnoOf(c.SetRecvTimeout(int32(a[0]), a[1]))
			}},
		{"sock_set_send_timeout", "iI", "i", "fD",
			func(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
				return wasi.ErrnoOf(c.SetSendTimeout(int32(a[0]), a[1]))
			}},
		{"sock_get_linger", "iii", "i", "fbo", getLinger},
		{"sock_set_linger", "iii", "i", "fdd", setLinger},
		{"sock_get_ip_multicast_loop", "iii", "i", "fdb", getMulticastLoop},
		{"sock_set_ip_multicast_loop", "iii", "i", "fdd", setMulticastLoop},
		{"sock_set_ip_add_membership", "iii", "i", "fgx",
			func(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
				return membership(m, a, c.Join)
			}},
		{"sock_set_ip_drop_membership", "iii", "i", "fgx",
			func(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
				return membership(m, a, c.Leave)
			}},
	}
	for _, o := range []struct {
		name   string
		option network.Option
		width  width
	}{
		{"reuse_addr", network.ReuseAddr, flag},
		{"reuse_port", network.ReusePort, flag},
		{"keep_alive", network.KeepAlive, flag},
		{"broadcast", network.Broadcast, flag},
		{"recv_buf_size", network.RecvBuffer, word},
		{"send_buf_size", network.SendBuffer, word},
		{"tcp_no_delay", network.NoDelay, flag},
		{"tcp_quick_ack", network.QuickAck, flag},
		{"tcp_fastopen_connect", network.FastOpenConnect, flag},
		{"tcp_keep_idle", network.KeepIdle, word},
		{"tcp_keep_intvl", network.KeepInterval, word},
		{"ip_ttl", network.TTL, oneByte},
		{"ip_multicast_ttl", network.MulticastTTL, oneByte},
		{"ipv6_only", network.V6Only, flag},
	} {
		out := map[width]string{flag: "fb", oneByte: "fb", word: "fo"}[o.width]
		functions = append(functions,
			row{"sock_get_" + o.name, "ii", "i", out,
				func(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
					return getOption(c, m, a[0], a[1], o.option, o.width)
				}},
			row{"sock_set_" + o.name, "ii", "i", "fd",
				func(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
					return setOption(c, a[0], a[1], o.option, o.width)
				}})
	}
	return functions
}

func getOption(c *Caller, m wasi.MemoryView, fd, out uint64, o network.Option, w width) wasi.Errno {
	size := uint32(1)
	if w == word {
		size = 4
	}
	if e := m.Check(uint32(out), size); e != wasi.Success {
		return e
	}
	v, err := c.Option(int32(fd), o)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	switch w {
	case word:
		return m.PutUint32(uint32(out), uint32(v))
	case flag:
		return m.PutUint8(uint32(out), bit(v != 0))
	}
	return m.PutUint8(uint32(out), uint8(v))
}

func setOption(c *Caller, fd, value uint64, o network.Option, w width) wasi.Errno {
	var v int64
	switch w {
	case flag:
		v = int64(bit(uint32(value) != 0))
	case oneByte:
		v = int64(uint32(value)) // SetOption refuses more than a byte
	case word:
		v = int64(int32(value)) // as WAMR, which casts to int
	}
	return wasi.ErrnoOf(c.SetOption(int32(fd), o, v))
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func putTimeout(m wasi.MemoryView, out, usec uint64, err error) wasi.Errno {
	if e := m.Check(uint32(out), 8); e != wasi.Success {
		return e
	}
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	return m.PutUint64(uint32(out), usec)
}

func getLinger(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	if e := m.Check(uint32(a[2]), 4); e != wasi.Success {
		return e
	}
	if e := m.Check(uint32(a[1]), 1); e != wasi.Success {
		return e
	}
	v, err := c.Option(int32(a[0]), network.Linger)
	if err != nil {
		return wasi.ErrnoOf(err)
	}
	m.PutUint8(uint32(a[1]), bit(v >= 0))
	return m.PutUint32(uint32(a[2]), uint32(max(v, 0)))
}

func setLinger(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	v := int64(-1)
	if uint32(a[1]) != 0 {
		if v = int64(int32(a[2])); v < 0 {
			return wasi.EINVAL
		}
	}
	return wasi.ErrnoOf(c.SetOption(int32(a[0]), network.Linger, v))
}

func multicastLoop(ipv6 uint64) network.Option {
	if uint32(ipv6) != 0 {
		return network.MulticastLoop6
	}
	return network.MulticastLoop4
}

func getMulticastLoop(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	return getOption(c, m, a[0], a[2], multicastLoop(a[1]), flag)
}

func setMulticastLoop(c *Caller, _ wasi.MemoryView, a []uint64) wasi.Errno {
	return setOption(c, a[0], a[2], multicastLoop(a[1]), flag)
}

// membership decodes a group and an interface. Of an IPv4 group the interface is given by its
// address, the four bytes as they lie in memory; of an IPv6 group by its index.
func membership(m wasi.MemoryView, a []uint64,
	change func(int32, netip.Addr, network.Interface) error) wasi.Errno {
	raw, e := m.Slice(uint32(a[1]), wasi.SizeAddrIP)
	if e != wasi.Success {
		return e
	}
	group, e := wasi.GetAddrIP(append(make([]byte, 0, wasi.SizeAddrIP), raw...))
	if e != wasi.Success {
		return e
	}
	on := network.Interface{Index: uint32(a[2])}
	if group.Is4() {
		on = network.Interface{}
		if uint32(a[2]) != 0 {
			on.Addr = netip.AddrFrom4([4]byte(binary.LittleEndian.AppendUint32(nil, uint32(a[2]))))
		}
	}
	return wasi.ErrnoOf(change(int32(a[0]), group, on))
}
