package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// plain is an error of the operating system in its own words, without the names of Go's calls
// around them; what was being done to which file or address is up to the caller to say. A host that
// does not exist is a mistake on the command line.
func plain(err error) error {
	var dns *net.DNSError
	var errno syscall.Errno
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return &exit{statusUsage, fmt.Errorf("there is no host named %q", dns.Name)}
	case errors.As(err, &dns):
		return fmt.Errorf("the host %q cannot be looked up now: %s", dns.Name, dns.Err)
	case errors.As(err, &errno):
		return errno
	}
	return err
}
