//go:build !linux

package kernel

import (
	"net/netip"

	"github.com/wasport/wasport/network"
)

// setDestination4 notes the destination of a packet of IPv4 where the system does not tell the
// address to answer from.
func setDestination4(c *network.Control, addr [4]byte) {
	c.Fields |= network.PacketInfo4
	c.Destination, c.Source = netip.AddrFrom4(addr), netip.Addr{}
	if !c.Destination.IsMulticast() && addr != [4]byte{255, 255, 255, 255} {
		c.Source = c.Destination
	}
}
