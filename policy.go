package wasport

import (
	"math"

	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// Counters tell how much a guest has done on the network since its start.
type Counters struct {
	// Allowed and Denied count decisions, indexed by policy.Op: Denied[policy.OpConnect]. A
	// datagram to or from one of the latest addresses of its socket needs no new decision. A call
	// that a limit refused is denied: an open beyond the limit of sockets or of their memory, or a
	// connect, which the policy may have allowed before.
	Allowed, Denied guard.PerOp

	// Limited counts the calls that a limit refused. Denied counts them too.
	Limited uint64

	// OpenSockets is how many sockets are open now, or closed with data that the host has yet to
	// send.
	OpenSockets int

	// SentBytes and ReceivedBytes count payload. Bytes that the guest peeked at count once, a
	// datagram counts whole if a part of it was read, and dropped datagrams do not count.
	SentBytes, ReceivedBytes uint64

	// DroppedDatagrams and DroppedConnections count those of peers that the policy does not admit.
	DroppedDatagrams, DroppedConnections uint64

	// Lookups counts the lookups of names that were made, FilteredAddrs the addresses that were
	// taken out of their answers.
	Lookups, FilteredAddrs uint64
}

// SetPolicy changes the policy, including its limits. The guest's next connect, send, accept,
// receive and lookup use it; established TCP connections, and those being established, go on. It
// may be called at any time, from any goroutine.
func (g *Guest) SetPolicy(p *policy.Policy) { g.guard.SetPolicy(p) }

// Policy returns the policy. It may be called at any time, from any goroutine.
func (g *Guest) Policy() *policy.Policy { return g.guard.Policy() }

// Counters returns the counters. It may be called at any time, from any goroutine, also after the
// guest's end.
func (g *Guest) Counters() Counters { return Counters(g.guard.Counters()) }

// hostNetwork is the network beneath that of all guests that need no other: it knows no guest.
var hostNetwork = kernel.New(kernel.Config{})

// guardNetwork puts the policy in front of the guest's network.
func (c *Config) guardNetwork(threads bool, out *callbackQueues) (*guard.Network, error) {
	base := c.Network
	switch {
	case base == nil && len(c.Without) == 0:
		base = hostNetwork
	case base == nil:
		base = kernel.New(kernel.Config{Without: c.Without})
	}
	taken, _ := shortcut.Except(c.Without) // none, with an error
	// A type that embeds a kernel.Network has its LookupAddrsTTL too, which would bypass a
	// LookupAddrs of its own.
	_, keepsAnswers := base.(*kernel.Network)
	o := guard.Options{
		OnRefusal:    out.onRefusal("Config.OnRefusal", c.OnRefusal),
		OnDeniedPeer: out.onRefusal("Config.OnDeniedPeer", c.OnDeniedPeer),
		OnFiltered:   out.onFiltered(c.OnFiltered), OnLimit: out.onLimit(c.OnLimit),
		Audit: c.Audit, Learner: c.Learner, DryRun: c.DryRun, Shared: threads,
		Call:         out.callNetwork,
		KeepAnswers:  keepsAnswers && taken.Has(shortcut.NameCache),
		SocketMemory: int64(min(c.MaxSocketMemory, math.MaxInt64)),
	}
	if o.Audit != nil {
		var err error
		if o.Audit, err = out.audit(o.Audit, c.name()); err != nil {
			return nil, err
		}
	}
	return guard.New(base, c.Policy, o), nil
}
