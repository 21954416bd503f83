package guard

import (
	"net/netip"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// adoptedOrigin is the origin of the rules that adopting a socket stands for.
var adoptedOrigin = policy.Origin{Source: "the socket was handed over"}

// Adopt guards a socket that was opened elsewhere and is handed over to the guest. Adopting a
// socket grants its present use and no more: to accept connections or receive datagrams where it is
// bound, and to answer those; or, if it is a connected datagram socket, to send and receive there.
// Deny rules and ceilings still hold. A listen rule that covers the address holds too, and then
// selects the peers. An established connection is not judged, nor is a Unix-domain listener.
//
// The owner may go on to use the socket, since the kernel has one socket for both (dup(2)). The
// guest gets EACCES for each call that would change it: Shutdown, SetOption and Connect. Listen
// leaves it unchanged, and Close leaves the groups that the guest joined. A connected stream
// belongs to the guest alone, since no two programs can share the bytes of a stream.
func (n *Network) Adopt(s network.Socket) network.Socket {
	n.counters.openSockets.Add(1) // beyond the limit, if need be: the guest did not open it
	g := n.guard(s)
	g.sharedWithOwner = true
	action, target := policy.ActionListen, netip.AddrPort{}
	if local, err := s.LocalAddr(); err == nil && local.Port() != 0 {
		g.localAddr, g.explicitPort, target = local, true, local
		g.dualStack = isDualStack(s, local.Addr())
	}
	if peer, err := s.RemoteAddr(); err == nil {
		g.explicitPort = false
		if g.datagram != nil {
			g.datagram.peer = peer
		} else {
			g.sharedWithOwner = false
			g.setState(stateConnected)
		}
		action, target = policy.ActionConnect, peer
	}
	if accepts, err := s.Option(network.AcceptConn); err == nil && accepts != 0 {
		g.setState(stateListening)
	}
	g.adoptGrant = policy.New(nil, policy.Limits{})
	text := g.protocol.String() + "://" +
		netip.AddrPortFrom(target.Addr().WithZone(""), target.Port()).String()
	if rules, err := policy.ParseTargets(policy.Allow, action, text, adoptedOrigin); err == nil {
		g.adoptGrant = policy.New(rules, policy.Limits{})
	}
	n.chargeSocket(n.active.Load(), g) // it refuses no adopted socket
	return g
}

// refuseAlter refuses a call that would change an adopted socket for its owner. No rule allows it.
func (s *socket) refuseAlter(call string) error {
	n, active := s.net, s.net.active.Load()
	local, _ := s.boundAddr()
	r := policy.Request{Op: policy.OpAlter, Protocol: s.protocol, Local: local, Name: call}
	n.counters.denied[r.Op].Add(1)
	return n.reportRefusal(active.policy.Explain(r, policy.Decision{}))
}

// decideAdopted allows by adoptGrant a request that the guest's rules refused, if they lack a rule
// for it and have no rule against it.
func (s *socket) decideAdopted(p *policy.Policy, r *policy.Request,
	refused policy.Decision) policy.Decision {
	// 1. Grant: the request must be covered by it, and a rule must help. No rule helps against a
	// deny rule or a ceiling.
	d := s.adoptGrant.Decide(*r, nil)
	if !d.Allowed || refused.Rule != nil || len(p.Explain(*r, refused).Allow) == 0 {
		return refused
	}
	if r.Op == policy.OpConnect {
		return d
	}

	// 2. Listen rule for the address: it exists, and does not admit this peer.
	listen := *r
	listen.Op, listen.Remote = policy.OpListen, netip.AddrPort{}
	if p.Decide(listen, nil).Allowed {
		return refused
	}

	// 3. The same for the IPv4 half of a dual-stack socket.
	listen.Local = netip.AddrPortFrom(netip.IPv4Unspecified(), r.Local.Port())
	if s.dualStack && p.Decide(listen, nil).Allowed {
		return refused
	}
	return d
}

// isDualStack reports whether a bound socket receives IPv4 as well as IPv6 (RFC 3493, section 5.3).
func isDualStack(s network.Socket, local netip.Addr) bool {
	only, err := s.Option(network.V6Only)
	return local == netip.IPv6Unspecified() && err == nil && only == 0
}
