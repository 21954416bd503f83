package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// plainError reduces an error to the operating system's own message, without the names of Go's
// calls around it. The caller adds the flag and the file or address. A host that does not exist is
// a mistake on the command line, so its exit status is statusUsage.
func plainError(err error) error {
	var dns *net.DNSError
	var errno syscall.Errno
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return &exitError{statusUsage, fmt.Errorf("there is no host named %q", dns.Name)}
	case errors.As(err, &dns):
		return fmt.Errorf("the host %q cannot be looked up now: %s", dns.Name, dns.Err)
	case errors.As(err, &errno):
		return systemMessage(errno)
	}
	return err
}
