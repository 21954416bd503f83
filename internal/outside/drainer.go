package outside

// Drainer is a destination of a guest's output or reports that takes them with a delay.
type Drainer interface {
	// Idle returns a channel that is closed once everything has been taken.
	Idle() <-chan struct{}
	// Busy names the code that has not returned; "" if everything has been taken.
	Busy() string
}
