package wasport

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/policy"
)

// searchNetwork is a guest's network that completes names by search domains. It stands in front of
// the guard, so that each name that is looked up has been judged as a whole.
type searchNetwork struct {
	*guard.Network
	domains []string
	ndots   int
}

// searched puts search domains in front of a network, if there are any.
func (c *Config) searched(n *guard.Network) network.Network {
	if len(c.SearchDomains) == 0 {
		return n
	}
	return &searchNetwork{n, c.SearchDomains, max(c.Ndots, 1)}
}

// LookupAddrs looks up the names that may be meant, one after the other, until one exists. It skips
// those that the policy denies, without a report: the guest did not ask for them. A server that
// fails ends the search, since a later name could be another's. If no name exists, the error is
// that of the name itself.
func (n *searchNetwork) LookupAddrs(ctx context.Context, family network.Family, name string) (
	[]netip.Addr, error) {
	before, after := n.completed(name)
	addrs, err := n.lookupFirst(ctx, family, before)
	if err != errNoName {
		return addrs, err
	}
	addrs, itsErr := n.Network.LookupAddrs(ctx, family, name)
	if !isUnknown(itsErr) {
		return addrs, itsErr
	}
	if addrs, err = n.lookupFirst(ctx, family, after); err == errNoName {
		err = itsErr
	}
	return addrs, err
}

// BeginLookup leaves a name with completions to LookupAddrs, which may have to look up several.
func (n *searchNetwork) BeginLookup(family network.Family, name string) ([]netip.Addr,
	func(context.Context) ([]netip.Addr, error), error) {
	if before, after := n.completed(name); len(before)+len(after) == 0 {
		return n.Network.BeginLookup(family, name)
	}
	return nil, func(ctx context.Context) ([]netip.Addr, error) {
		return n.LookupAddrs(ctx, family, name)
	}, nil
}

// CheckLookup lets a lookup begin that has a chance by one of its names.
func (n *searchNetwork) CheckLookup(name string) error {
	before, after := n.completed(name)
	for _, list := range [][]string{before, after} {
		for _, candidate := range list {
			if n.mayLookUp(candidate) {
				return nil
			}
		}
	}
	return n.Network.CheckLookup(name)
}

// errNoName says that none of the names exists.
var errNoName = errors.New("no completed name exists")

// lookupFirst looks up names until one exists, or a server fails. If none exists it returns
// errNoName.
func (n *searchNetwork) lookupFirst(ctx context.Context, family network.Family, names []string) (
	[]netip.Addr, error) {
	for _, name := range names {
		if !n.mayLookUp(name) {
			continue
		}
		addrs, err := n.Network.LookupAddrs(ctx, family, name)
		if !isUnknown(err) {
			return addrs, err
		}
	}
	return nil, errNoName
}

func (n *searchNetwork) mayLookUp(name string) bool {
	return n.Policy().Decide(policy.Request{Op: policy.OpResolve, Name: name}, nil).Allowed
}

// completed returns the completions of a name to try before and after the name itself
// (resolv.conf(5), search and ndots). A name with a final dot has none.
func (n *searchNetwork) completed(name string) (before, after []string) {
	if name == "" || strings.HasSuffix(name, ".") {
		return nil, nil
	}
	var list []string
	for _, domain := range n.domains {
		list = append(list, name+"."+strings.Trim(domain, "."))
	}
	if strings.Count(name, ".") < n.ndots {
		return list, nil
	}
	return nil, list
}

// isUnknown reports whether an error says that a name does not exist, or has no such address.
func isUnknown(err error) bool {
	var failed *network.LookupError
	return errors.As(err, &failed) &&
		(failed.Failure == network.NoSuchHost || failed.Failure == network.NoAnswer)
}
