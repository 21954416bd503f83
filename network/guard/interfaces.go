package guard

import (
	"net/netip"
	"strconv"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var _ network.Lister = (*Network)(nil)

// HostAddrs lists those of the host's addresses that the guest may connect to, or listen on, at
// every port: to others they would say where they run, which is nothing that a rule granted.
func (n *Network) HostAddrs() ([]network.HostAddr, error) {
	base, ok := n.base.(network.Lister)
	if !ok {
		return nil, nil
	}
	all, err := base.HostAddrs()
	if err != nil || n.options.DryRun {
		return all, err
	}
	p := n.Policy()
	var known []network.HostAddr
	for _, h := range all {
		if n.knows(p, h.Prefix.Addr()) {
			known = append(known, h)
		}
	}
	return known, nil
}

func (n *Network) knows(p *policy.Policy, a netip.Addr) bool {
	at := netip.AddrPortFrom(a, 0)
	for _, protocol := range [...]policy.Protocol{policy.TCP, policy.UDP} {
		connect := policy.Request{Op: policy.OpConnect, Protocol: protocol, Remote: at, Own: true}
		listen := policy.Request{Op: policy.OpListen, Protocol: protocol, Local: at}
		if p.Decide(connect, n.pins).Allowed || p.Decide(listen, n.pins).Allowed {
			return true
		}
	}
	return false
}

// owns reports whether an address that a connect may lead to is the host's. It says so of public
// ones only: others are reached by rules that name them.
func (n *Network) owns(a netip.Addr) bool {
	base, ok := n.base.(network.Owner)
	return ok && a.Unmap().IsGlobalUnicast() && !a.Unmap().IsPrivate() && base.Owns(a)
}

// knowsInterface reports whether the guest may name an interface: one of which it knows an address,
// or none.
func (n *Network) knowsInterface(on network.Interface) bool {
	if a := on.Addr; a.IsValid() && !a.IsUnspecified() && !n.mayName(a, n.knows(n.Policy(), a)) {
		return false
	}
	return on.Index == 0 || n.knowsAny(func(h network.HostAddr) bool { return h.Index == on.Index })
}

// knowsZone is knowsInterface for the zone of an address, which is the name or the index of an
// interface.
func (n *Network) knowsZone(zone string) bool {
	return n.knowsAny(func(h network.HostAddr) bool {
		return h.Name == zone || strconv.FormatUint(uint64(h.Index), 10) == zone
	})
}

func (n *Network) knowsAny(is func(network.HostAddr) bool) bool {
	var all []network.HostAddr
	if base, ok := n.base.(network.Lister); ok {
		all, _ = base.HostAddrs() // without a list there is none that the guest knows
	}
	p, first := n.Policy(), netip.Addr{}
	for _, h := range all {
		a := h.Prefix.Addr()
		switch {
		case !is(h):
		case n.knows(p, a):
			return n.mayName(a, true)
		case !first.IsValid():
			first = a
		}
	}
	return first.IsValid() && n.mayName(first, false) || n.options.DryRun
}

// mayName acts on whether an interface is known, by the least that makes it so: to bind to an
// address of it. To the guest one that is unknown is one that there is not; the record tells them
// apart.
func (n *Network) mayName(a netip.Addr, known bool) bool {
	now := n.now.Load()
	at := netip.AddrPortFrom(a, 0)
	r := policy.Request{Op: policy.OpBind, Protocol: policy.UDP, Local: at, Ephemeral: true}
	if !known {
		if d := now.policy.Decide(r, n.pins); !d.Allowed {
			n.enforce(now, r, d)
		}
	} else if n.options.Learner != nil {
		n.options.Learner.Request(r)
	}
	return known || n.options.DryRun
}
