package wasi2

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
)

// lookup is a resolve-address-stream.
type lookup struct {
	// fd is the descriptor of the lookup, or noFD if there was nothing to look up.
	fd int32

	// addrs are the addresses that the guest did not get yet, once answered is true.
	addrs    []netip.Addr
	answered bool

	dropped bool
}

const noFD = -1

// resolve starts the lookup of a name, or gives an address literal as its own answer. A name that
// the policy refuses is refused at once.
func (g *Guest) resolve(name string) (*lookup, error) {
	if a, ok := parseLiteral(name); ok {
		return &lookup{fd: noFD, addrs: []netip.Addr{a}, answered: true}, nil
	}
	fd, err := g.StartLookup(name, network.AnyFamily)
	switch err {
	case nil:
		return &lookup{fd: fd}, nil
	case syscall.EAGAIN: // too many are under way
		return nil, temporaryResolverFailure
	}
	return nil, lookupCode(err)
}

// parseLiteral parses an IPv4 address, or an IPv6 one with or without brackets.
func parseLiteral(name string) (netip.Addr, bool) {
	inner, bracketed := strings.CutPrefix(name, "[")
	if bracketed {
		if inner, bracketed = strings.CutSuffix(inner, "]"); !bracketed {
			return netip.Addr{}, false
		}
	}
	a, err := netip.ParseAddr(inner)
	if err != nil || a.Zone() != "" || bracketed && a.Is4() {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// next returns the next address: false after the last one, wouldBlock until there is an answer.
func (l *lookup) next(g *Guest) (netip.Addr, bool, error) {
	if !l.answered {
		addrs, err := g.LookupAddrs(l.fd)
		if err != nil {
			return netip.Addr{}, false, lookupCode(err)
		}
		l.addrs, l.answered = addrs, true
	}
	if len(l.addrs) == 0 {
		return netip.Addr{}, false, nil
	}
	a := l.addrs[0].Unmap().WithZone("")
	l.addrs = l.addrs[1:]
	return a, true, nil
}

// lookupCode returns the error-code for a failed lookup.
func lookupCode(err error) error {
	var failed *network.LookupError
	switch {
	case errors.As(err, &failed):
		return [...]errorCode{
			network.NoSuchHost: nameUnresolvable, network.NoAnswer: temporaryResolverFailure,
			network.ServerFailure: permanentResolverFailure,
		}[failed.Failure]
	case errors.Is(err, syscall.EACCES):
		return permanentResolverFailure
	}
	return err
}

// interest implements waitable.
func (l *lookup) interest(x *system.Subscription) (ready bool) {
	if l.answered || l.dropped {
		return true
	}
	x.Kind, x.FD = system.Reading, l.fd
	return false
}

// drop ends the lookup.
func (l *lookup) drop(g *Guest) {
	l.dropped = true
	if l.fd != noFD {
		g.CloseFD(l.fd)
	}
}
