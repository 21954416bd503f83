package abi_test

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/platforms/recording"
	"github.com/wasport/wasport/internal/wasi"
)

// recordedOption is an option of sockets with the values that it is set to. Its name is the end of
// the imports' names; or they are sock_get_option and sock_set_option, and it is one of number.
type recordedOption struct {
	name   string
	number uint64
	set    []int64
	bytes  bool // a size whose initial value the operator of the system chooses
}

var recordedOptions = []recordedOption{
	{"reuse_addr", 0, []int64{1, 0}, false},
	{"reuse_port", 0, []int64{1, 0}, false},
	{"keep_alive", 0, []int64{1, 0}, false},
	{"broadcast", 0, []int64{1, 0}, false},
	{"linger", 0, []int64{0, 5, -1}, false},
	{"recv_buf_size", 0, []int64{8192, 0, -1}, true},
	{"send_buf_size", 0, []int64{8192, 0, -1}, true},
	{"recv_timeout", 0, []int64{1500, 0}, false},
	{"send_timeout", 0, []int64{1500, 0}, false},
	{"tcp_no_delay", 0, []int64{1, 0}, false},
	{"tcp_quick_ack", 0, []int64{0, 1}, false},
	{"tcp_fastopen_connect", 0, []int64{1, 0}, false},
	{"tcp_keep_idle", 0, []int64{1, 32767, 0, 32768}, false},
	{"tcp_keep_intvl", 0, []int64{1, 32767, 0, 32768}, false},
	{"ip_ttl", 0, []int64{1, 255, 0}, false},
	{"ip_multicast_ttl", 0, []int64{0, 255}, false},
	{"ip_multicast_loop, IPv4", 0, []int64{0, 1}, false},
	{"ip_multicast_loop, IPv6", 0, []int64{0, 1}, false},
	{"ipv6_only", 0, []int64{1, 0}, false},
	{"SO_ERROR", 1, []int64{1}, false},
	{"SO_ACCEPTCONN", 2, []int64{1}, false},
	{"TCP_KEEPCNT", 3, []int64{1, 127, 0, 128}, false},
	{"TCP_MAXSEG", 4, []int64{1000, 1}, false},
	{"IP_TOS", 5, []int64{16, 184, 255, 0}, false},
	{"IP_MULTICAST_IF", 6, []int64{0x7f000001, 0x01020304, 0}, false},
	{"IPV6_UNICAST_HOPS", 7, []int64{1, 255, 0, -1, 256}, false},
	{"IPV6_MULTICAST_HOPS", 8, []int64{0, 255, -1, 256}, false},
	{"IPV6_MULTICAST_IF", 9, []int64{1, 12345, 0}, false},
	{"IPV6_TCLASS", 10, []int64{16, 184, 255, -1}, false},
	{"TCP_USER_TIMEOUT", 11, []int64{30_000, 0, -1}, false},
	{"IP_PKTINFO", 12, []int64{1, 0, 2}, false},
	{"IP_RECVTTL", 13, []int64{1, 0, 2}, false},
	{"IP_RECVTOS", 14, []int64{1, 0, 2}, false},
	{"IPV6_RECVPKTINFO", 15, []int64{1, 0, 2}, false},
	{"IPV6_RECVHOPLIMIT", 16, []int64{1, 0, 2}, false},
	{"IPV6_RECVTCLASS", 17, []int64{1, 0, 2}, false},
	{"SO_TIMESTAMP", 18, []int64{1, 0, 2}, false},
}

func recordOptions(t *testing.T) (lines []recording.Line) {
	for _, o := range recordedOptions {
		for _, kind := range []struct {
			name        string
			family, typ uint64
		}{
			{"TCP, IPv4", wasi.AddressFamilyInet4, stream}, {"TCP, IPv6", inet6, stream},
			{"UDP, IPv4", wasi.AddressFamilyInet4, datagram}, {"UDP, IPv6", inet6, datagram},
		} {
			lines = append(lines, recording.Line{Name: "option " + o.name, Call: kind.name,
				Result: record(t, func(c *caller) string {
					return o.try(c, c.open(kind.family, kind.typ))
				})})
		}
	}
	return lines
}

// try reads an option of a socket, and sets each value and reads it back.
func (o recordedOption) try(c *caller, fd uint64) string {
	initial := o.get(c, fd)
	if _, err := strconv.Atoi(initial); err == nil && o.bytes {
		initial = "some"
	}
	texts := []string{"initially " + initial}
	for _, v := range o.set {
		e := o.put(c, fd, v)
		read := o.get(c, fd)
		switch {
		case e != wasi.Success:
			texts = append(texts, fmt.Sprintf("set %d: %v", v, e))
		case o.bytes && v <= 0:
			texts = append(texts, fmt.Sprintf("set %d: taken", v))
		default:
			texts = append(texts, fmt.Sprintf("set %d: reads %s", v, read))
		}
	}
	return strings.Join(texts, "; ")
}

// get returns the value of an option, or the errno.
func (o recordedOption) get(c *caller, fd uint64) string {
	clear(c.memory()[out : out+16])
	var e wasi.Errno
	width := 4
	switch name, family, _ := strings.Cut(o.name, ", IPv"); {
	case o.number != 0:
		e, width = c.call("sock_get_option", fd, o.number, out), 8
	case name == "ip_multicast_loop":
		e = c.call("sock_get_ip_multicast_loop", fd, loopOf(family), out)
	case name == "linger":
		if e = c.call("sock_get_linger", fd, out+8, out); c.memory()[out+8] == 0 {
			binary.LittleEndian.PutUint32(c.memory()[out:], 1<<32-1)
		}
	default:
		e = c.call("sock_get_"+name, fd, out)
	}
	if e != wasi.Success {
		return e.String()
	}
	if width == 8 {
		return strconv.Itoa(int(binary.LittleEndian.Uint64(c.memory()[out:])))
	}
	return strconv.Itoa(int(int32(c.u32(out))))
}

func (o recordedOption) put(c *caller, fd uint64, v int64) wasi.Errno {
	switch name, family, _ := strings.Cut(o.name, ", IPv"); {
	case o.number != 0:
		return c.call("sock_set_option", fd, o.number, uint64(v))
	case name == "ip_multicast_loop":
		return c.call("sock_set_ip_multicast_loop", fd, loopOf(family), uint64(v))
	case name == "linger" && v < 0:
		return c.call("sock_set_linger", fd, 0, 0)
	case name == "linger":
		return c.call("sock_set_linger", fd, 1, uint64(v))
	default:
		return c.call("sock_set_"+name, fd, uint64(v))
	}
}

// loopOf returns the argument by which the imports for multicast loops tell the families apart.
func loopOf(family string) uint64 {
	if family == "6" {
		return 1
	}
	return 0
}
