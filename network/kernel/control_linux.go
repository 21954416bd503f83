package kernel

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

const (
	sentFields      = network.ControlFieldsAll &^ network.PacketTime
	sendsInterface4 = true

	// The types of received messages.
	typeTTL  = unix.IP_TTL
	typeTOS  = unix.IP_TOS
	typeTime = unix.SO_TIMESTAMP
)

func (w *controlWriter) addPacketInfo4(c *network.Control) {
	info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&w.add(unix.IPPROTO_IP, unix.IP_PKTINFO,
		unix.SizeofInet4Pktinfo)[0]))
	info.Ifindex = int32(c.Interface)
	if c.Source.IsValid() {
		info.Spec_dst = c.Source.As4()
	}
}

// getPacketInfo4 reads the message if it is of IPv4's packet information.
func getPacketInfo4(typ int32, data []byte, c *network.Control) bool {
	if typ != unix.IP_PKTINFO || len(data) < unix.SizeofInet4Pktinfo {
		return false
	}
	info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0]))
	c.Fields |= network.PacketInfo4
	c.Interface = uint32(info.Ifindex)
	c.Destination, c.Source = netip.AddrFrom4(info.Addr), netip.AddrFrom4(info.Spec_dst)
	return true
}
