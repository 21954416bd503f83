package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

const (
	sentFields      = sentByBSDs
	sendsInterface4 = true

	recvPacketInfo4 = unix.IP_RECVPKTINFO
	recvInterface4  = 0 // is part of that
	recvTOS         = flag
	typeTOS         = unix.IP_RECVTOS
)

// addPacketInfo4 leaves the interface out if there is a source, which macOS would ignore then
// (udp_check_pktinfo of bsd/netinet/udp_usrreq.c).
func (w *controlWriter) addPacketInfo4(c *network.Control) {
	info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&w.add(unix.IPPROTO_IP, unix.IP_PKTINFO,
		unix.SizeofInet4Pktinfo)[0]))
	if c.Source.IsValid() && !c.Source.IsUnspecified() {
		info.Spec_dst = c.Source.As4()
	} else {
		info.Ifindex = c.Interface
	}
}

// getPacketInfo4 reads the message if it is of IPv4's packet information.
func getPacketInfo4(typ int32, data []byte, c *network.Control) bool {
	if typ != unix.IP_PKTINFO || len(data) < unix.SizeofInet4Pktinfo {
		return false
	}
	info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0]))
	c.Interface = info.Ifindex
	setDestination4(c, info.Addr)
	return true
}
