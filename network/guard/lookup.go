package guard

import (
	"context"
	"net/netip"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var families = map[network.Family]policy.Family{
	network.AnyFamily: policy.AnyFamily, network.IPv4: policy.IPv4, network.IPv6: policy.IPv6,
}

// LookupAddrs judges the name, and what it resolved to: addresses that a rule with a name must not
// reach are taken out of the answer, and the others are remembered as what the name stands for.
// Beyond the limit of lookups it waits.
func (n *Network) LookupAddrs(ctx context.Context, family network.Family,
	name string) ([]netip.Addr, error) {
	now := n.now.Load()
	r := policy.Request{Op: policy.OpResolve, Name: name}
	if err := n.enforce(now, r, now.policy.Decide(r, n.pins)); err != nil {
		return nil, err
	}
	if n.options.Learner != nil {
		n.options.Learner.Request(r)
	}
	// Looked up under the spelling that was judged, whatever the resolver makes of others.
	canonical, err := policy.CanonicalName(name)
	if err != nil {
		return nil, &network.LookupError{Name: name, Failure: network.NoSuchHost, Err: err}
	}
	if now.lookups != nil {
		if err := now.lookups.Wait(ctx); err != nil {
			return nil, err
		}
	}
	n.counters.lookups.Add(1)
	addrs, err := n.base.LookupAddrs(ctx, family, canonical)
	if err != nil {
		return nil, err
	}
	p := n.Policy() // by what holds by now
	kept, removed := p.Answer(n.pins, canonical, families[family], addrs)
	if len(removed) > 0 {
		n.filtered(p.ExplainAnswer(canonical, removed))
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

// filtered notes that addresses were taken out of an answer.
func (n *Network) filtered(f *policy.Filtered) {
	n.counters.filtered.Add(uint64(len(f.Removed)))
	if n.options.Audit != nil {
		n.recordFiltered(f)
	}
	if n.options.OnFiltered != nil {
		n.options.OnFiltered(f)
	}
}

// LookupPort asks a table of the host, which tells nobody anything.
func (n *Network) LookupPort(ctx context.Context, typ network.Type, service string) (uint16,
	error) {
	return n.base.LookupPort(ctx, typ, service)
}
