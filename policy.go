package wasport

import (
	"math"

	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// Counters tell what a guest has done on the network so far. Those of decisions are indexed by
// policy.Op.
type Counters = guard.Counters

// SetPolicy changes what the guest may do from now on, its limits included. Its next connect, send,
// accept, receive or lookup sees the new policy; TCP connections that stand or are under way go on.
// It may be called at any time, from any goroutine.
func (g *Guest) SetPolicy(p *policy.Policy) { g.guard.SetPolicy(p) }

// Counters returns what has been counted so far. It may be called at any time, from any goroutine,
// also after the guest's end.
func (g *Guest) Counters() Counters { return g.guard.Counters() }

// guard makes the guest's view of its network.
func (c *Config) guard(threads bool, out *outlets) *guard.Network {
	base := c.Network
	if base == nil {
		base = kernel.New(kernel.Config{})
	}
	o := guard.Options{
		OnRefusal:  out.onRefusal("Config.OnRefusal", c.OnRefusal),
		OnStranger: out.onRefusal("Config.OnStranger", c.OnStranger),
		OnFiltered: out.onFiltered(c.OnFiltered), OnLimit: out.onLimit(c.OnLimit),
		Audit: c.Audit, Learner: c.Learner, DryRun: c.DryRun, Shared: threads,
		SocketMemory: int64(min(c.MaxSocketMemory, math.MaxInt64)),
	}
	if o.Audit != nil {
		name := c.Name
		if name == "" && len(c.Args) > 0 {
			name = c.Args[0]
		}
		o.Audit = out.audit(o.Audit.With("guest", name))
	}
	return guard.New(base, c.Policy, o)
}
