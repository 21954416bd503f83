// Package guard is a Network that judges each call by a policy before it passes it on.
//
// It is the only place where permission is enforced: it asks package policy, and acts on the answer. It opens nothing itself, and what
// the rules mean is not its business.
package guard

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// Options say who is told of what. All functions are called on the guest's goroutines, several at once.
type Options struct {
	// OnRefusal is told of what was refused to the guest. It is not told of strangers who were turned away, which anybody outside
	// could cause at will; those are counted.
	OnRefusal func(*policy.Refusal)

	// OnFiltered is told of the addresses that were taken out of the answer to a lookup.
	OnFiltered func(name string, removed []netip.Addr)

	// Shared says that others see the buffers while a socket receives into them, as the threads of a guest do. Datagrams then
	// come there only after they were judged, which costs a copy.
	Shared bool
}

// Network is one guest's view of another Network, as far as a policy allows. What the guest's lookups returned is remembered
// here, so each guest needs one of its own.
type Network struct {
	base    network.Network
	policy  atomic.Pointer[policy.Policy]
	pins    *policy.Pins
	options Options
	dropped atomic.Uint64
}

var _ network.Network = (*Network)(nil)

// New puts a policy around a network. A nil policy allows nothing.
func New(base network.Network, p *policy.Policy, o Options) *Network {
	n := &Network{base: base, pins: policy.NewPins(time.Now), options: o}
	n.policy.Store(p)
	return n
}

// SetPolicy changes the policy for everything that the guest does from now on. Connections that stand go on.
func (n *Network) SetPolicy(p *policy.Policy) { n.policy.Store(p) }

// Dropped counts the connections and datagrams of strangers that were turned away.
func (n *Network) Dropped() uint64 { return n.dropped.Load() }

// judge asks the policy, and makes a refusal an error.
func (n *Network) judge(r policy.Request) error {
	p := n.policy.Load()
	d := p.Decide(r, n.pins)
	if d.Allowed {
		return nil
	}
	return n.refused(p, r, d)
}

func (n *Network) refused(p *policy.Policy, r policy.Request, d policy.Decision) error {
	refusal := p.Explain(r, d)
	if n.options.OnRefusal != nil {
		n.options.OnRefusal(refusal)
	}
	return refusal
}

// Open makes a socket that is judged. A socket by itself reaches nothing, so opening one needs no permission.
func (n *Network) Open(family network.Family, typ network.Type) (network.Socket, error) {
	s, err := n.base.Open(family, typ)
	if err != nil {
		return nil, err
	}
	return n.guard(s), nil
}

// Adopt guards a socket that was opened elsewhere, such as a listener that the guest is handed.
func (n *Network) Adopt(s network.Socket) network.Socket {
	g := n.guard(s)
	if local, err := s.LocalAddr(); err == nil && local.Port() != 0 {
		g.bound, g.chosen = local, true
	}
	return g
}

// LookupAddrs judges the name, and what it resolved to: addresses that a rule with a name must not reach are taken out of the answer, and
// the others are remembered as what the name stands for.
func (n *Network) LookupAddrs(ctx context.Context, family network.Family, name string) ([]netip.Addr, error) {
	if err := n.judge(policy.Request{Op: policy.OpResolve, Name: name}); err != nil {
		return nil, err
	}
	// Looked up under the spelling that was judged, whatever the resolver makes of others.
	canonical, err := policy.CanonicalName(name)
	if err != nil {
		return nil, &network.LookupError{Name: name, Failure: network.NoSuchHost, Err: err}
	}
	addrs, err := n.base.LookupAddrs(ctx, family, canonical)
	if err != nil {
		return nil, err
	}
	wanted := map[network.Family]policy.Family{
		network.AnyFamily: policy.AnyFamily, network.IPv4: policy.IPv4, network.IPv6: policy.IPv6,
	}[family]
	kept, removed := n.policy.Load().Answer(n.pins, canonical, wanted, addrs)
	if len(removed) > 0 && n.options.OnFiltered != nil {
		n.options.OnFiltered(canonical, removed)
	}
	if len(kept) == 0 {
		return nil, &network.LookupError{Name: canonical, Failure: network.NoSuchHost}
	}
	return kept, nil
}

// LookupPort asks a table of the host, which tells nobody anything.
func (n *Network) LookupPort(ctx context.Context, typ network.Type, service string) (uint16, error) {
	return n.base.LookupPort(ctx, typ, service)
}
