package kernel

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

var _ network.Controller = (*socket)(nil)

// asksForControl reports whether an option asks for control data. A caller relies on what it asked
// for, so a system that lacks the option refuses it.
func asksForControl(o network.Option) bool {
	return o >= network.RecvPacketInfo4 && o <= network.RecvTimestamp
}

// SendControl sends a datagram with control data.
func (s *socket) SendControl(bufs [][]byte, to netip.AddrPort, c *network.Control) (int, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.release()
	if s.typ != network.Datagram {
		return 0, syscall.EOPNOTSUPP
	}
	if err := checkControl(c); err != nil {
		return 0, err
	}
	if err := s.flushFirst(); err != nil {
		return 0, err
	}
	n, err := sysSendControl(s.fd, bufs, to, c)
	if err != nil {
		err = s.sendError(err, to)
	}
	return n, s.congestion.outcome(err)
}

// checkControl returns the error of Linux for control data that cannot be sent (ip_cmsg_send and
// ip6_datagram_send_ctl), and EOPNOTSUPP for a field that this system cannot send. Linux itself
// ignores fields of the other family.
func checkControl(c *network.Control) error {
	outside := func(f network.ControlFields, v, least int32) bool {
		return c.Fields&f != 0 && (v < least || v > 255)
	}
	if c.Fields&network.PacketTime != 0 ||
		c.Fields&network.PacketInfo4 != 0 && c.Source.IsValid() && !c.Source.Is4() ||
		c.Fields&network.PacketInfo6 != 0 && c.Source.Is4() ||
		outside(network.PacketTTL, c.HopLimit, 1) ||
		outside(network.PacketHopLimit, c.HopLimit, -1) ||
		outside(network.PacketTOS, c.TrafficClass, 0) ||
		outside(network.PacketTrafficClass, c.TrafficClass, -1) {
		return syscall.EINVAL
	}
	if c.Fields&^sentFields != 0 || !sendsInterface4 && c.Fields&network.PacketInfo4 != 0 &&
		c.Interface != 0 && !c.Source.IsValid() {
		return syscall.EOPNOTSUPP
	}
	return nil
}

func setPacketInfo6(c *network.Control, addr [16]byte, index uint32) {
	c.Fields |= network.PacketInfo6
	c.Interface = index
	if a := netip.AddrFrom16(addr); !a.Is4In6() {
		c.Destination = a
		if !a.IsMulticast() {
			c.Source = a
		}
	} else if !c.Destination.IsValid() {
		c.Destination, c.Source = a.Unmap(), a.Unmap()
	}
}

// RecvControl receives a datagram with its control data.
func (s *socket) RecvControl(bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	if !s.acquire() {
		return network.Received{}, net.ErrClosed
	}
	defer s.release()
	if s.typ != network.Datagram {
		return network.Received{}, syscall.EOPNOTSUPP
	}
	*c = network.Control{}
	r, err := s.recvDatagram(bufs, flags, c)
	return r, datagramError(err)
}
