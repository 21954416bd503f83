package network

// Option is a socket option. Its value is an int64: 0 or 1 where nothing else is said.
type Option uint8

const (
	ReuseAddr Option = iota
	ReusePort
	KeepAlive
	Broadcast
	// seconds; 0 = Close resets the connection, -1 = off. Whatever it is, Close does not wait
	Linger
	RecvBuffer          // bytes asked for; the host may answer with more
	SendBuffer          // bytes asked for; the host may answer with more
	NoDelay             // TCP
	QuickAck            // TCP
	FastOpenConnect     // TCP
	KeepIdle            // TCP: seconds before the first probe
	KeepInterval        // TCP: seconds between probes
	KeepCount           // TCP: unanswered probes before the connection is dropped
	TTL                 // IPv4: hops, 1 to 255
	MulticastTTL        // IPv4: hops, 0 to 255
	MulticastLoop4      // IPv4
	MulticastLoop6      // IPv6
	V6Only              // IPv6
	HopLimit            // IPv6: hops of unicast, 0 to 255; -1 = the host's default
	MulticastHops       // IPv6: hops of multicast, 0 to 255; -1 = the host's default
	MulticastInterface4 // IPv4: the interface's address, as the big-endian number
	MulticastInterface6 // IPv6: the interface's index
	TOS                 // IPv4: type of service
	TrafficClass        // IPv6: traffic class; -1 = the host's default
	MaxSegment          // TCP: bytes
	// TCP: milliseconds that sent data may stay unacknowledged before the connection fails with
	// ETIMEDOUT; 0 = the host's default, RFC 5482
	UserTimeout
	// read only: the errno of the last asynchronous failure as a syscall.Errno, cleared by reading
	// it
	PendingError
	AcceptConn // read only: 1 when the socket listens

	// Options counts the options; every Option is below it.
	Options
)
