package network

import "syscall"

// LookupFailure says why a lookup found nothing.
type LookupFailure uint8

const (
	// the name, or the service, does not exist, or has no address of the family
	NoSuchHost    LookupFailure = iota
	NoAnswer                    // no server answered
	ServerFailure               // a server answered that it could not tell
)

// LookupError is the failure of a lookup.
type LookupError struct {
	Name    string
	Failure LookupFailure
	Err     error // what the resolver said, if anything
}

func (e *LookupError) Error() string {
	s := "lookup " + e.Name + ": " +
		[...]string{"no such host", "no server answered", "the server failed"}[e.Failure]
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the errno that a guest sees: those of the failures that WAMR's guests know.
func (e *LookupError) Unwrap() error {
	return [...]syscall.Errno{syscall.EINVAL, syscall.EAGAIN, syscall.EIO}[e.Failure]
}
