//go:build !portable

package kernel

import (
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// sendRoom returns how many bytes of memory the send queue has left, or 0 if it is not known. The
// kernel takes a send while it has any left.
func sendRoom(fd int, typ network.Type) int {
	info, err := memoryInfo(fd)
	if err != nil {
		return 0
	}
	used := info[memQueued]
	if typ == network.Datagram {
		used = info[memAllocated]
	}
	return int(info[memSendLimit]) - int(used)
}

// hasSegments reports whether the kernel knows UDP_SEGMENT. One that does not, would ignore it, and
// send one datagram with all bytes.
func hasSegments(fd int) bool {
	_, err := getInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT)
	return err == nil
}

// segmentControl is a control message with the size of segments, which is a uint16.
type segmentControl struct {
	header unix.Cmsghdr
	size   [8]byte
}

// sysSendSegments sends b as datagrams of a size each, and the rest as the last one.
func sysSendSegments(fd int, b []byte, to netip.AddrPort, size int) error {
	var sa sockaddr
	v := makeIovec(b)
	msg := unix.Msghdr{Iov: &v}
	msg.SetIovlen(1)
	if to.IsValid() {
		if err := sa.set(to); err != nil {
			return err
		}
		msg.Name, msg.Namelen = (*byte)(unsafe.Pointer(&sa.raw)), sa.len
	}
	var c segmentControl
	c.header.Level, c.header.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	c.header.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(c.size[:], uint16(size))
	msg.Control = (*byte)(unsafe.Pointer(&c))
	msg.SetControllen(unix.CmsgSpace(2))
	_, err := msgCall(unix.SYS_SENDMSG, fd, &msg, sendFlag)
	runtime.KeepAlive(&sa)
	runtime.KeepAlive(&c)
	runtime.KeepAlive(b)
	return err
}

// unsentLimited reports whether the kernel may refuse bytes for which there is room, since as many
// are unsent as TCP_NOTSENT_LOWAT or net.ipv4.tcp_notsent_lowat allows (tcp(7)).
func unsentLimited(fd int) bool {
	own, err := getInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT)
	if own == 0 {
		return err == nil && unsentLimitedByDefault()
	}
	return err == nil && uint32(own) != math.MaxUint32
}

var unsentLimitedByDefault = sync.OnceValue(func() bool {
	b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_notsent_lowat")
	return err == nil && strings.TrimSpace(string(b)) != "4294967295"
})
