package network

// Buffered is a Socket whose queues are memory of the host's.
type Buffered interface {
	// BufferLimits returns how many bytes of memory the host lets each queue take, as the
	// socket is: the size of its buffer, or, where no size was set and the host sets it by
	// itself, the largest one.
	BufferLimits() (recv, send int64, err error)

	// Unsent returns what Close would leave to the host to send; nil if that is nothing. It is
	// called before Close, once. Until the result's End is called the peer does not learn that
	// the stream ends.
	Unsent() Unsent
}

// Unsent is what a closed socket has yet to send, or its peer to acknowledge.
type Unsent interface {
	// End ends the stream, as Close of the socket would without this. It is called after that.
	End()

	// Memory returns how many bytes of memory it takes, 0 at the end.
	Memory() (int64, error)

	// Close leaves the rest to the host.
	Close() error
}
