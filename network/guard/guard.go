// Package guard is a Network that judges each call by a policy before it passes the call on.
//
// This is the only place where permission is enforced. The guard asks package policy, acts on the
// decision, holds a guest to its limits, and records both. It opens no socket itself, and the
// meaning of a rule is decided in package policy alone. With Options.KeepAnswers it answers
// repeated lookups from memory, and judges each answer anew.
//
// The guard passes on exactly the address that it judged, and replaces every address that a kernel
// would interpret: an unspecified destination becomes loopback, a zone without effect is removed,
// and the interface of a membership must be known to the guest. A socket that was adopted is used
// and not changed, since its owner uses it too.
//
// Every method of Network and of its sockets may be called from several goroutines at once.
//
// Locks, each for its own fields:
//
//	Network.policyMu    the replacement of active; held during SetPolicy
//	socket.addrMu       the local and the remote address, in the guard and in the kernel; held
//	                    during bind(2), listen(2) and connect(2)
//	socket.joinMu       memberships; held during setsockopt(2)
//	socket.recvMu       the head of the receive queue; held during recv(2), only if Options.Shared
//	socket.mu           the guard's copy of both addresses, and the verdict caches
//	waitState.notifyMu  the registered notifications, and the end of the socket
//	memoryAccount.mu    the memory charged to all sockets, including socket.charge
//	knownSenders.mu     the senders that may be answered
//	standIns.mu         the addresses that stand for names
//	answerCache.mu      the answers to lookups
//
// Lock order: addrMu, joinMu and recvMu come first, and at most one of them is held at a time. Each
// of the others may be taken under these three, and no lock is taken while one of the others is
// held, except those of the Network beneath. The functions of Options are called while one of the
// first three may be held, so they must not call a method of the same socket.
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

// Options configure a Network. Its functions are called on the goroutines of the guest, several at
// once, and delay the call of the guest until they return.
type Options struct {
	// OnRefusal is called with each request of the guest that was refused.
	OnRefusal func(*policy.Refusal)

	// OnDeniedPeer is called with the first peer that each socket turned away. It is not called for
	// later peers of the socket, since anybody outside could cause any number of calls.
	OnDeniedPeer func(*policy.Refusal)

	// OnLimit is called each time that a limit of the policy refuses a call, with the limit's name
	// in a policy file and its value.
	OnLimit func(name string, limit int)

	// OnFiltered is called with the addresses that were removed from the answer to a lookup.
	OnFiltered func(*policy.Filtered)

	// Audit gets a record of each decision, and of each call that a limit refused. An allowed
	// request has level Info, a refused one has level Warn. A datagram to or from one of the latest
	// addresses of its socket needs no new decision. At most 100 records a second are about peers
	// that were turned away; the next record has the number of those left out.
	Audit *slog.Logger

	// Learner is given each allowed request and each answer to a lookup.
	Learner *policy.Learner

	// SocketMemory limits the host's memory that all sockets of the guest may occupy, in bytes. The
	// lower of this limit and the policy's holds. If both are 0, DefaultSocketMemory holds.
	SocketMemory int64

	// KeepAnswers answers a repeated lookup from memory, for as long as the Network beneath said
	// that its answer holds (network.TTLResolver), and for an hour at most.
	KeepAnswers bool

	// DryRun refuses nothing and limits nothing. Every request that would have been refused is
	// still reported, recorded and counted.
	DryRun bool

	// Call makes a call of the network that no call of the guest waits for, and that is therefore
	// made on a goroutine of its own or late, such as waiting for a limited socket. If f panics,
	// Call may recover. Nil = f is called.
	Call func(f func())

	// Shared tells that other threads of the guest can read the buffers while a socket receives
	// into them. A datagram is then copied into the buffers after its sender was admitted.
	Shared bool
}

// Network is one guest's view of another Network, as far as a policy allows. It remembers the
// answers to the guest's lookups, so each guest needs a Network of its own.
type Network struct {
	base    network.Network
	options Options
	pins    *policy.Pins

	// created is the origin of verdict.expires and addrList.expires.
	created time.Time

	// policyMu is held while SetPolicy replaces active.
	policyMu sync.Mutex
	active   atomic.Pointer[policySnapshot]
	// first is the first value of active.
	first policySnapshot

	// socketCount is the number of sockets made so far. Its value becomes the id of the next one.
	socketCount atomic.Uint64

	senders     knownSenders
	standIns    standIns
	answers     answerCache
	addrs       addrList
	memory      memoryAccount
	counters    counters
	deniedPeers deniedPeers

	bindForbidden, lookupUnanswered atomic.Bool
}

// BindForbidden reports whether the Network beneath has refused a bind with EACCES that the policy
// had allowed.
func (n *Network) BindForbidden() bool { return n.bindForbidden.Load() }

// LookupUnanswered reports whether no server has answered a lookup.
func (n *Network) LookupUnanswered() bool { return n.lookupUnanswered.Load() }

// policySnapshot is a policy with its limits. SetPolicy makes a new one, so a pointer to it also
// identifies the time during which the policy was in force.
type policySnapshot struct {
	policy *policy.Policy
	limits
}

var _ network.Network = (*Network)(nil)

// New puts a policy, with its limits, around a network. A nil policy allows nothing.
func New(base network.Network, p *policy.Policy, o Options) *Network {
	n := &Network{base: base, pins: policy.NewPins(time.Now), created: time.Now(), options: o,
		answers: answerCache{now: time.Now}}
	if o.Audit != nil {
		n.deniedPeers.limiter = rate.NewLimiter(deniedRecordsPerSecond, deniedRecordsPerSecond)
	}
	if n.options.Call == nil {
		n.options.Call = func(f func()) { f() }
	}
	n.memory.net = n
	n.first = policySnapshot{policy: p, limits: n.limitsOf(p, limits{})}
	n.active.Store(&n.first)
	return n
}

// SetPolicy replaces the policy and its limits for every later call of the guest. Connections that
// are established, or under way, continue.
func (n *Network) SetPolicy(p *policy.Policy) {
	n.policyMu.Lock()
	defer n.policyMu.Unlock()
	n.active.Store(&policySnapshot{policy: p, limits: n.limitsOf(p, n.active.Load().limits)})
}

// Policy returns the policy in force.
func (n *Network) Policy() *policy.Policy { return n.active.Load().policy }

// enforce returns the error of a refused request of the guest, and records the decision.
func (n *Network) enforce(active *policySnapshot, r *policy.Request, d policy.Decision) error {
	if d.Allowed {
		n.noteAllowed(r, d)
		return nil
	}
	n.counters.denied[r.Op].Add(1)
	err := n.reportRefusal(active.policy.Explain(*r, d))
	if n.options.DryRun {
		return nil
	}
	return err
}

// reportRefusal records a refusal, calls OnRefusal, and returns the refusal.
func (n *Network) reportRefusal(refusal *policy.Refusal) error {
	if n.options.Audit != nil {
		n.recordRefusal(refusal)
	}
	if n.options.OnRefusal != nil {
		n.options.OnRefusal(refusal)
	}
	return refusal
}

// noteAllowed counts and records an allowed request.
func (n *Network) noteAllowed(r *policy.Request, d policy.Decision) {
	n.counters.allowed[r.Op].Add(1)
	if n.options.Audit != nil {
		n.recordAllowed(*r, d)
	}
}

// rejectPeer counts, records and reports a peer that no rule admits. It reports whether the peer is
// admitted anyway, since this is a dry run.
func (s *socket) rejectPeer(active *policySnapshot, r *policy.Request,
	d policy.Decision) (admitted bool) {
	n := s.net
	n.counters.denied[r.Op].Add(1)
	if n.options.Audit != nil {
		n.recordDeniedPeer(active, *r, d)
	}
	if n.options.OnDeniedPeer != nil && !s.deniedPeerReported.Swap(true) {
		n.options.OnDeniedPeer(active.policy.Explain(*r, d))
	}
	return n.options.DryRun
}

// Open makes a guarded socket. It needs no permission, since an unconnected socket reaches nothing.
// Errors: EMFILE beyond the limit of sockets, ENOBUFS beyond the limit of their memory (POSIX,
// socket).
func (n *Network) Open(family network.Family, typ network.Type) (network.Socket, error) {
	active := n.active.Load()
	if err := n.reserveSocket(active); err != nil {
		return nil, err
	}
	s, err := n.base.Open(family, typ)
	if err != nil {
		n.releaseSocket()
		return nil, err
	}
	g := n.guard(s)
	if err := n.chargeSocket(active, g); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}
