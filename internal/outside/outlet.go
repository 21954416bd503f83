package outside

// Drainer is where a guest's output or what there is to tell of it goes to, in its own time.
type Drainer interface {
	Idle() <-chan struct{} // closed once nothing is left
	Busy() string          // what has not returned; empty if nothing is left
}
