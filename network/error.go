package network

import "syscall"

// LookupFailure is the reason why a lookup found nothing.
type LookupFailure uint8

const (
	// NoSuchHost: the name, or the service, does not exist or has no address of the family.
	NoSuchHost LookupFailure = iota
	// NoAnswer: no server answered in time.
	NoAnswer
	// ServerFailure: a server answered with an error, such as RCODE 2 (RFC 1035, section 4.1.1).
	ServerFailure
)

// LookupError is the error of a failed lookup.
type LookupError struct {
	Name    string
	Failure LookupFailure
	// Err is the error of the resolver, or nil.
	Err error
}

func (e *LookupError) Error() string {
	s := "lookup " + e.Name + ": " +
		[...]string{"no such host", "no server answered", "the server failed"}[e.Failure]
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the errno that a guest gets. WAMR's guests know these three for getaddrinfo
// (wasi_socket_ext.h).
func (e *LookupError) Unwrap() error {
	return [...]syscall.Errno{syscall.EINVAL, syscall.EAGAIN, syscall.EIO}[e.Failure]
}
