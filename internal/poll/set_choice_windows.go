package poll

// Set waits for the items of one goroutine at a time. Others may call Wake and Close.
type Set = pollSet

// New makes an empty set. It must be closed.
func New() (*Set, error) { return newPollSet() }
