// Package guard is a Network that judges each call by a policy before it passes it on.
//
// It is the only place where permission is enforced: it asks package policy, acts on the answer,
// holds a guest to its limits, and keeps the record of both. It opens nothing itself, and what the
// rules mean is not its business.
//
// It hands on exactly what it judged, and nothing of which a kernel makes something else: an
// unspecified destination becomes loopback, a zone without a meaning goes, the interface of a
// membership must be known. A socket that was handed over is used and not changed, since its owner
// has it too.
package guard

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// Options say who is told of what. All functions are called on the guest's goroutines, several at
// once.
type Options struct {
	// OnRefusal is told of what was refused to the guest, OnStranger of what comes from outside.
	OnRefusal func(*policy.Refusal)

	// OnStranger is told of the first peer that each socket turned away, not of those after it,
	// of which anybody outside could cause any number.
	OnStranger func(*policy.Refusal)

	// OnLimit is told, each time, which limit of the policy refused something: its name in a policy
	// file, and what it is.
	OnLimit func(name string, limit int)

	// OnFiltered is told of the addresses that were taken out of the answer to a lookup.
	OnFiltered func(*policy.Filtered)

	// Audit gets a record of each decision, and of each call that a limit refused: at level Info
	// what was allowed, at Warn what was not. A datagram that goes to, or comes from, one of the
	// latest addresses of its socket needs no new decision. Of the strangers who were turned away
	// no more than 100 a second are recorded, with the number of those left out.
	Audit *slog.Logger

	// Learner is told what the guest needed.
	Learner *policy.Learner

	// SocketMemory bounds the memory that all of the guest's sockets take of the host, in bytes,
	// and so does the policy if it sets less. 0 = DefaultSocketMemory, where the policy sets
	// nothing.
	SocketMemory int64

	// DryRun refuses nothing and limits nothing: what would have been refused is reported, recorded
	// and counted all the same.
	DryRun bool

	// Shared says that others see the buffers while a socket receives into them, as the threads of
	// a guest do. Datagrams then come there only after they were judged, which costs a copy.
	Shared bool
}

// Network is one guest's view of another Network, as far as a policy allows. What the guest's
// lookups returned is remembered here, so each guest needs one of its own.
type Network struct {
	base    network.Network
	options Options
	pins    *policy.Pins
	began   time.Time
	now     atomic.Pointer[regime]
	change  sync.Mutex // held by SetPolicy

	sockets   atomic.Uint64 // made so far, of which each gets its number
	contacts  contacts
	memory    memory
	counters  counters
	strangers strangers
}

// regime is what holds at one time. Its address tells it from those before it.
type regime struct {
	policy *policy.Policy
	limits
}

var _ network.Network = (*Network)(nil)

// New puts a policy, with its limits, around a network. A nil policy allows nothing.
func New(base network.Network, p *policy.Policy, o Options) *Network {
	n := &Network{base: base, pins: policy.NewPins(time.Now), began: time.Now(), options: o}
	if o.Audit != nil {
		n.strangers.limit = rate.NewLimiter(strangersPerSecond, strangersPerSecond)
	}
	n.now.Store(&regime{policy: p, limits: n.limitsOf(p, limits{})})
	return n
}

// SetPolicy changes the policy and its limits for everything that the guest does from now on.
// Connections that stand, or are under way, go on.
func (n *Network) SetPolicy(p *policy.Policy) {
	n.change.Lock()
	defer n.change.Unlock()
	n.now.Store(&regime{policy: p, limits: n.limitsOf(p, n.now.Load().limits)})
}

// Policy returns the policy that holds now.
func (n *Network) Policy() *policy.Policy { return n.now.Load().policy }

// enforce acts on a decision about what the guest wants.
func (n *Network) enforce(now *regime, r policy.Request, d policy.Decision) error {
	if d.Allowed {
		n.allowed(r, d)
		return nil
	}
	n.counters.denied[r.Op].Add(1)
	err := n.refuse(now.policy.Explain(r, d))
	if n.options.DryRun {
		return nil
	}
	return err
}

// refuse tells of what is refused.
func (n *Network) refuse(refusal *policy.Refusal) error {
	if n.options.Audit != nil {
		n.recordRefusal(refusal)
	}
	if n.options.OnRefusal != nil {
		n.options.OnRefusal(refusal)
	}
	return refusal
}

// allowed notes that something was allowed.
func (n *Network) allowed(r policy.Request, d policy.Decision) {
	n.counters.allowed[r.Op].Add(1)
	if n.options.Audit != nil {
		n.recordAllowed(r, d)
	}
}

// turnAway acts on a decision against what came from outside, and reports whether it is let in
// nevertheless.
func (s *socket) turnAway(now *regime, r policy.Request, d policy.Decision) bool {
	n := s.net
	n.counters.denied[r.Op].Add(1)
	if n.options.Audit != nil {
		n.recordStranger(now, r, d)
	}
	if n.options.OnStranger != nil && !s.strangerTold.Swap(true) {
		n.options.OnStranger(now.policy.Explain(r, d))
	}
	return n.options.DryRun
}

// Open makes a socket that is judged. A socket by itself reaches nothing, so opening one needs no
// permission. EMFILE beyond the limit of sockets, ENOBUFS beyond that of their memory.
func (n *Network) Open(family network.Family, typ network.Type) (network.Socket, error) {
	now := n.now.Load()
	if err := n.reserve(now); err != nil {
		return nil, err
	}
	s, err := n.base.Open(family, typ)
	if err != nil {
		n.release()
		return nil, err
	}
	g := n.guard(s)
	if err := n.chargeSocket(now, g); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}
