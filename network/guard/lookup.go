package guard

import (
	"context"
	"net/netip"
	"syscall"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var families = map[network.Family]policy.Family{
	network.AnyFamily: policy.AnyFamily, network.IPv4: policy.IPv4, network.IPv6: policy.IPv6,
}

// LookupAddrs judges the name and then the answer. It removes the addresses that a rule with the
// name must not reach, and remembers the others as the addresses of the name. Beyond the limit of
// lookups it waits. If a proxy resolves names, the answer is an address that stands for the name.
func (n *Network) LookupAddrs(ctx context.Context, family network.Family,
	name string) ([]netip.Addr, error) {
	canonical, err := n.judgeLookup(name)
	if err == nil {
		err = n.awaitLookup(ctx)
	}
	if err != nil {
		return nil, err
	}
	if n.resolvesRemotely() {
		if addrs := n.standIns.of(canonical, family); addrs != nil {
			return addrs, nil
		}
		return nil, &network.LookupError{Name: canonical, Failure: network.NoAnswer}
	}
	addrs, err := n.base.LookupAddrs(ctx, family, canonical)
	if err != nil {
		return nil, err
	}

	// 3. Answer: judge it by the policy in force now, since a lookup may take seconds.
	p := n.Policy()
	kept, removed := p.Answer(n.pins, canonical, families[family], addrs)
	if len(removed) > 0 {
		n.noteFiltered(p.ExplainAnswer(canonical, removed))
		if n.options.DryRun {
			kept = addrs
		}
	}
	if n.options.Learner != nil {
		n.options.Learner.Lookup(canonical, kept)
	}
	if len(kept) == 0 {
		return nil, &network.LookupError{Name: canonical, Failure: network.NoSuchHost}
	}
	return kept, nil
}

// LookupRecords judges the name, and counts as a lookup does. The answers are not judged: addresses
// come by LookupAddrs alone, and those that other records mention, such as SVCB and TXT, grant
// nothing.
func (n *Network) LookupRecords(ctx context.Context, name string, typ uint16) ([]byte, error) {
	canonical, err := n.judgeLookup(name)
	if err != nil {
		return nil, err
	}
	base, ok := n.base.(network.RecordResolver)
	switch dnsmessage.Type(typ) {
	case dnsmessage.TypeA, dnsmessage.TypeAAAA:
		ok = false
	}
	if !ok || n.resolvesRemotely() {
		return nil, syscall.EOPNOTSUPP
	}
	if err := n.awaitLookup(ctx); err != nil {
		return nil, err
	}
	return base.LookupRecords(ctx, canonical, typ)
}

// judgeLookup judges a name, and returns it as it is to be looked up.
func (n *Network) judgeLookup(name string) (string, error) {
	// 1. Spelling: look up exactly the name that is judged. A resolver may read other spellings
	// otherwise.
	canonical, notName := policy.CanonicalName(name)

	// 2. Rule: judge the name. No rule can allow a text that is none, so it gets the record of a
	// refusal, and the error of a name without a host.
	active := n.active.Load()
	r := policy.Request{Op: policy.OpResolve, Name: name}
	err := n.enforce(active, &r, active.policy.Decide(r, n.pins))
	switch {
	case notName != nil:
		return "", &network.LookupError{Name: name, Failure: network.NoSuchHost, Err: notName}
	case err != nil:
		return "", err
	case n.options.Learner != nil:
		n.options.Learner.Request(r)
	}
	return canonical, nil
}

// awaitLookup waits beyond the limit of lookups, and counts the lookup that follows.
func (n *Network) awaitLookup(ctx context.Context) error {
	if limit := n.active.Load().lookups; limit != nil {
		if err := limit.Wait(ctx); err != nil {
			return err
		}
	}
	n.counters.lookups.Add(1)
	return nil
}

// noteFiltered counts, records and reports the addresses that were removed from an answer.
func (n *Network) noteFiltered(f *policy.Filtered) {
	n.counters.filteredAddrs.Add(uint64(len(f.Removed)))
	if n.options.Audit != nil {
		n.recordFiltered(f)
	}
	if n.options.OnFiltered != nil {
		n.options.OnFiltered(f)
	}
}

// LookupPort needs no permission: it reads a table of the host (services(5)) and sends nothing.
func (n *Network) LookupPort(ctx context.Context, typ network.Type, service string) (uint16,
	error) {
	return n.base.LookupPort(ctx, typ, service)
}
