package network

// Option is a socket option. Its value is an int64, 0 or 1 unless its comment says otherwise. The
// options are those of socket(7), tcp(7), ip(7) and ipv6(7).
//
// Every socket must have PendingError and AcceptConn, which tell how a connect ended and whether
// the socket listens. Programs take an error as fatal from ReuseAddr, KeepAlive, Broadcast, Linger,
// RecvBuffer and SendBuffer, from NoDelay on a stream, and from V6Only on an IPv6 socket. So a
// Network where one of them has no effect takes its value and reads it back. It refuses the others
// that it does not have.
type Option uint8

const (
	ReuseAddr Option = iota
	ReusePort
	KeepAlive
	Broadcast
	// Linger is in seconds: 0 makes Close reset the connection, and -1 is off. Close does not block
	// with any value.
	Linger
	// RecvBuffer and SendBuffer are in bytes. The host may allocate more than was set, and then
	// reports more.
	RecvBuffer
	SendBuffer

	// Options of TCP.

	NoDelay
	QuickAck
	FastOpenConnect
	// KeepIdle is the time before the first probe, in seconds.
	KeepIdle
	// KeepInterval is the time between probes, in seconds.
	KeepInterval
	// KeepCount is the number of unanswered probes after which the connection is dropped.
	KeepCount

	// Options of IPv4 and IPv6.

	// TTL is that of IPv4 packets in hops, 1 to 255.
	TTL
	// MulticastTTL is that of IPv4 multicast in hops, 0 to 255.
	MulticastTTL
	// MulticastLoop4 is for IPv4 and MulticastLoop6 for IPv6.
	MulticastLoop4
	MulticastLoop6
	V6Only
	// HopLimit is that of IPv6 unicast in hops, 0 to 255; -1 is the host's default.
	HopLimit
	// MulticastHops is the limit of IPv6 multicast in hops, 0 to 255; -1 is the host's default.
	MulticastHops
	// MulticastInterface4 is the interface's IPv4 address as a big-endian number.
	MulticastInterface4
	// MulticastInterface6 is the interface's index.
	MulticastInterface6
	// TOS is the type of service of IPv4 packets, 0 to 255.
	TOS
	// TrafficClass is that of IPv6 packets, 0 to 255; -1 is the host's default.
	TrafficClass

	// MaxSegment is TCP's maximum segment size in bytes.
	MaxSegment
	// UserTimeout is the time in milliseconds for which data sent by TCP may stay unacknowledged
	// before the connection fails with ETIMEDOUT; 0 is the host's default (RFC 5482).
	UserTimeout
	// PendingError can only be read: the errno of the last asynchronous failure, as a
	// syscall.Errno. Reading clears it.
	PendingError
	// AcceptConn can only be read: 1 if the socket listens.
	AcceptConn

	// Options of datagram sockets that are a Controller: RecvControl is to have this field. IPv6
	// sockets have those of IPv4 as well, for packets of IPv4.

	RecvPacketInfo4
	RecvTTL
	RecvTOS
	RecvPacketInfo6
	RecvHopLimit
	RecvTrafficClass
	RecvTimestamp

	// Options is the number of options. Every Option is below it.
	Options
)
