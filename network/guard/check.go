package guard

import (
	"syscall"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var _ network.Checker = (*Network)(nil)

// CheckOpen refuses a socket with which no rule lets the guest do anything. An allowed socket is no
// decision that counts or is recorded: it reaches nothing yet.
func (n *Network) CheckOpen(typ network.Type) error {
	r := policy.Request{Op: policy.OpOpen, Protocol: policy.TCP}
	if typ == network.Datagram {
		r.Protocol = policy.UDP
	}
	active := n.active.Load()
	if d := active.policy.Decide(r, n.pins); !d.Allowed {
		return n.enforce(active, &r, d)
	}
	return nil
}

// CheckLookup refuses the name that LookupAddrs would refuse. A dry run leaves it to LookupAddrs to
// report the refusal.
func (n *Network) CheckLookup(name string) error {
	if _, err := policy.CanonicalName(name); err != nil {
		return syscall.EINVAL
	}
	r := policy.Request{Op: policy.OpResolve, Name: name}
	active := n.active.Load()
	if d := active.policy.Decide(r, n.pins); !d.Allowed && !n.options.DryRun {
		return n.enforce(active, &r, d)
	}
	return nil
}
