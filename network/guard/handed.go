package guard

import (
	"net/netip"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// handedOver is where the rules of handing over are written, as it were.
var handedOver = policy.Origin{Source: "the socket was handed over"}

// Adopt guards a socket that was opened elsewhere and is handed to the guest. Handing it over is a
// grant, of what the socket is and no more: to accept connections or receive datagrams where it is
// bound, and to answer those; or, if it is connected, to send and receive datagrams there. Rules
// that deny it and ceilings hold all the same, and so does a listen rule that covers the address:
// then that says who may come. A connection that stands is not judged.
//
// The kernel has one socket, which whoever opened it may go on to use. So the guest gets EACCES
// where it would change that: for Shutdown, for options, and for Connect. Listen leaves it as it
// is, and groups that the guest has joined are left when it closes the socket. A stream's
// connection is the guest's altogether: nobody else can make sense of a part of its bytes.
func (n *Network) Adopt(s network.Socket) network.Socket {
	n.counters.open.Add(1) // above the limit, if need be: it is not the guest that opened it
	g := n.guard(s)
	g.shared = true
	action, at := policy.Listen, netip.AddrPort{}
	if local, err := s.LocalAddr(); err == nil && local.Port() != 0 {
		g.bound, g.chosen, at = local, true, local
		g.dual = isDual(s, local.Addr())
	}
	if peer, err := s.RemoteAddr(); err == nil {
		g.peer, g.chosen = peer, false
		g.shared = g.protocol == policy.UDP
		g.underway = !g.shared
		action, at = policy.Connect, peer
	}
	if accepts, err := s.Option(network.AcceptConn); err == nil && accepts != 0 {
		g.listens.Store(true)
	}
	g.grant = policy.New(nil, policy.Limits{})
	target := g.protocol.String() + "://" +
		netip.AddrPortFrom(at.Addr().WithZone(""), at.Port()).String()
	if rules, err := policy.ParseTargets(policy.Allow, action, target, handedOver); err == nil {
		g.grant = policy.New(rules, policy.Limits{})
	}
	n.chargeSocket(n.now.Load(), g) // refuses nothing that was opened elsewhere
	return g
}

// keep refuses a call that would change a socket for its owner, whatever the policy says.
func (s *socket) keep(call string) error {
	n, now := s.net, s.net.now.Load()
	at, _ := s.local()
	r := policy.Request{Op: policy.OpAlter, Protocol: s.protocol, Local: at, Name: call}
	n.counters.denied[r.Op].Add(1)
	return n.refuse(now.policy.Explain(r, policy.Decision{}))
}

// decideHanded decides by the grant what the guest's rules did not allow, if all that they lack is
// a rule.
func (s *socket) decideHanded(p *policy.Policy, r policy.Request,
	refused policy.Decision) policy.Decision {
	d := s.grant.Decide(r, nil)
	if !d.Allowed || refused.Rule != nil || len(p.Explain(r, refused).Allow) == 0 {
		return refused
	}
	if r.Op != policy.OpConnect {
		anybody := r
		anybody.Op, anybody.Remote = policy.OpListen, netip.AddrPort{}
		if p.Decide(anybody, nil).Allowed {
			return refused // there is a rule, and it does not admit this peer
		}
		anybody.Local = netip.AddrPortFrom(netip.IPv4Unspecified(), r.Local.Port())
		if s.dual && p.Decide(anybody, nil).Allowed {
			return refused // the same, of its other half
		}
	}
	return d
}

// isDual reports whether a socket that has an address is there by IPv4 as well as by IPv6.
func isDual(s network.Socket, at netip.Addr) bool {
	only, err := s.Option(network.V6Only)
	return at == netip.IPv6Unspecified() && err == nil && only == 0
}
