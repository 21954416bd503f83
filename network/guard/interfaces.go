package guard

import (
	"net/netip"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var _ network.Lister = (*Network)(nil)

// HostAddrs lists those of the host's addresses that the guest may connect to, or listen on, at every port: to others they would say
// where they run, which is nothing that a rule granted.
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
		if p.Decide(policy.Request{Op: policy.OpConnect, Protocol: protocol, Remote: at}, n.pins).Allowed ||
			p.Decide(policy.Request{Op: policy.OpListen, Protocol: protocol, Local: at}, n.pins).Allowed {
			return true
		}
	}
	return false
}
