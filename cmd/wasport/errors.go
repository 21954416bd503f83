package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/wasport/wasport/internal/errno"
)

// plainError reduces an error to the operating system's own message, without the names of Go's
// calls around it. The caller adds the flag and the file or address. A host that does not exist is
// a mistake on the command line, so its exit status is statusUsage.
func plainError(err error) error {
	var dns *net.DNSError
	var number syscall.Errno
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return &exitError{statusUsage, fmt.Errorf("there is no host named %q", dns.Name)}
	case errors.As(err, &dns):
		return fmt.Errorf("the host %q cannot be looked up now: %s", dns.Name, dns.Err)
	case errors.As(err, &number):
		return systemMessage(number)
	}
	return err
}

// listenError reduces the error of a listener. An address or a directory that this host does not
// have is a mistake on the command line.
func listenError(err error) error {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return plainError(err)
	}
	switch errno.Socket(number) {
	case syscall.EADDRNOTAVAIL:
		return &exitError{statusUsage, fmt.Errorf("this host does not have the address; it has %s",
			hostAddrs())}
	case syscall.ENOENT, syscall.ENOTDIR:
		return &exitError{statusUsage, plainError(err)}
	}
	return plainError(err)
}

// hostAddrs lists the addresses of this host on which a socket may listen without a zone.
func hostAddrs() string {
	list := []string{"127.0.0.1"}
	addrs, _ := net.InterfaceAddrs() // without them, the first is still right
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLinkLocalUnicast() &&
			!slices.Contains(list, ip.IP.String()) && len(list) < 8 {
			list = append(list, ip.IP.String())
		}
	}
	return strings.Join(list, ", ")
}
