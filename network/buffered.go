package network

// Buffered is a Socket with send and receive queues in the host's memory.
type Buffered interface {
	// BufferLimits returns the number of bytes of memory up to which the host lets each queue grow:
	// the size of its buffer or, if no size was set and the host tunes it, the largest size.
	BufferLimits() (recv, send int64, err error)

	// Unsent returns the data that Close would leave to the host to send, or nil if there are none.
	// The caller calls it once, before Close. The peer does not see the end of the stream until End
	// of the result is called.
	Unsent() Unsent
}

// Unsent is the data of a closed socket that are not yet sent, or not yet acknowledged by the peer.
type Unsent interface {
	// End ends the stream, as Close of the socket would have done. It is called after Close.
	End()

	// Memory returns the number of bytes of the host's memory in use. It returns 0 when all data
	// are acknowledged.
	Memory() (int64, error)

	// Close leaves the rest to the host.
	Close() error

	// Reset discards the rest, resets the connection and closes. It returns errors.ErrUnsupported,
	// and has changed nothing, if the host cannot take the data back from the peer.
	Reset() error
}

// MemoryCharger is a Network that bounds the memory of a guest's sockets in the host. Queues that
// are not those of its sockets, such as a pipe's, are charged to the same account.
type MemoryCharger interface {
	// ChargeMemory charges a number of bytes, or returns syscall.ENOBUFS if they are too many.
	ChargeMemory(bytes int64) error
	// RefundMemory takes back a charge.
	RefundMemory(bytes int64)
}
