package network

import "net/netip"

// A Controller is a datagram Socket that sends and receives control data: facts about a datagram
// that its packet's header or the kernel tells, besides its sender (cmsg(3)). A Network
// without them refuses the options that ask for them, from RecvPacketInfo4 to RecvTimestamp.
type Controller interface {
	// SendControl is Send with the control data that c.Fields names. A Source is the address that
	// the datagram is sent from instead of the one that the socket is bound to, and an Interface
	// the one that it leaves by; they go with PacketInfo4 or PacketInfo6. Errors: EINVAL for a
	// value out of range, a Source that is not the host's, or a field that cannot be sent;
	// EOPNOTSUPP if the host cannot send this field.
	SendControl(bufs [][]byte, to netip.AddrPort, c *Control) (int, error)

	// RecvControl is Recv, and fills in *c. The Fields are those that the options asked for and
	// that the host told. After an error *c is without meaning.
	RecvControl(bufs [][]byte, flags RecvFlags, c *Control) (Received, error)
}

// ControlFields is a set of fields of a Control.
type ControlFields uint32

const (
	// PacketInfo4 and PacketInfo6 are Interface, Destination and Source: IP_PKTINFO of ip(7), and
	// IPV6_PKTINFO of RFC 3542. Their addresses are those of the packet, so an IPv6 socket may have
	// both, of a packet of IPv4.
	PacketInfo4 ControlFields = 1 << iota
	// PacketTTL is HopLimit of a packet of IPv4, and PacketHopLimit of one of IPv6.
	PacketTTL
	// PacketTOS is TrafficClass of a packet of IPv4, and PacketTrafficClass of one of IPv6.
	PacketTOS
	PacketInfo6
	PacketHopLimit
	PacketTrafficClass
	// PacketTime is Time. It cannot be sent.
	PacketTime

	// ControlFieldsAll has every field.
	ControlFieldsAll ControlFields = 1<<iota - 1
)

// Control is the control data of one datagram.
type Control struct {
	Fields ControlFields
	// Interface is the index of the interface that the datagram came by, or is to leave by; 0 is
	// unknown, or the host's choice.
	Interface uint32
	// Destination is the address in the header of a received packet, which may be a group's.
	Destination netip.Addr
	// Source is the host's address from which to answer a received datagram, or to send this one.
	// It is invalid if unknown, or if the host is to choose.
	Source netip.Addr
	// HopLimit is in hops, 0 to 255; -1 to be sent is the host's default of IPv6.
	HopLimit int32
	// TrafficClass is 0 to 255; -1 to be sent is the host's default of IPv6.
	TrafficClass int32
	// Time is when the host received the datagram, in nanoseconds since 1970, UTC.
	Time int64
}
