package policy

import (
	"net/netip"
	"strconv"
)

// Op is what a guest is about to do, or what is about to reach it.
type Op uint8

const (
	// OpConnect is a connect, of either protocol, or one datagram sent to an address. Remote is
	// where to.
	OpConnect Op = iota

	// OpBind gives a socket a local address. Local is the address asked for. Ephemeral, that is
	// with port 0, on an unspecified address it is not listening: a guest with any connect rule of
	// the protocol may do it.
	OpBind

	// OpListen makes a socket listen. Local is the address that it has or, for a socket without
	// one, the unspecified address of its family, Ephemeral.
	OpListen

	// OpAccept is a connection that came in. Local is the address that the listener is bound to
	// (not the one at which the connection arrived), Remote is the peer. A connection refused here
	// is closed before the guest sees it.
	OpAccept

	// OpReceive is a datagram that came in. Local is the address that the socket is bound to,
	// Remote is the source. On an Ephemeral socket a datagram is also admitted from where the guest
	// may connect to. A datagram that is not admitted is dropped. One from the address that the
	// socket is connected to is judged as OpConnect instead.
	OpReceive

	// OpJoin is a membership in a multicast group. Remote is the group; its port means nothing.
	// Leaving one needs no permission.
	OpJoin

	// OpResolve is a lookup. Name is the name. What it returned is then judged by [Policy.Answer].
	OpResolve

	// OpAlter changes a socket that was handed over, for its owner too. No policy allows it. Local
	// is where the socket is, Name is the call.
	OpAlter
)

var opNames = [...]string{"connect", "bind", "listen", "accept", "receive", "join", "resolve",
	"alter"}

func (o Op) String() string { return opNames[o] }

// action returns the action of the rules that judge o.
func (o Op) action() Action {
	return [...]Action{Connect, Listen, Listen, Listen, Listen, Join, Resolve}[o]
}

// Request is one thing to be judged. Addresses may be given as they come: they are normalised
// before they are judged.
type Request struct {
	Op       Op
	Protocol Protocol       // exactly one, but for OpJoin and OpResolve, which need none
	Local    netip.AddrPort // OpBind, OpListen, OpAccept, OpReceive, OpAlter
	Remote   netip.AddrPort // OpConnect, OpAccept, OpReceive, OpJoin
	// Local's port was, or is to be, chosen by the host and not by the guest
	Ephemeral bool
	// Remote is an address of this host, which no name, "*" or "public" stands for
	Own bool
	// OpResolve, OpAlter; also OpConnect without Remote, which asks for every address of the name
	Name string
}

// String returns the request in words, such as "connect tcp 10.0.0.5:5432", the addresses as they
// are judged.
func (r Request) String() string {
	s := r.Op.String()
	if r.Protocol == TCP || r.Protocol == UDP {
		s += " " + r.Protocol.String()
	}
	switch q := r.normalized(); r.Op {
	case OpBind, OpListen:
		return s + " " + formatAddrPort(q.local, q.allowPort())
	case OpAlter:
		return s + " " + formatAddrPort(q.local, q.lport) + " by " + r.Name
	case OpAccept, OpReceive:
		return s + " " + formatAddrPort(q.local, q.allowPort()) + " from " + formatAddrPort(q.remote, q.rport)
	case OpJoin:
		return s + " " + q.remote.String()
	case OpResolve:
		return s + " " + formatName(r.Name, q)
	default:
		if !q.remote.IsValid() && r.Name != "" {
			return s + " " + formatName(r.Name, q) + ":" + strconv.Itoa(int(q.rport))
		}
		return s + " " + formatAddrPort(q.remote, q.rport)
	}
}

func formatAddrPort(a netip.Addr, port uint16) string {
	if !a.IsValid() {
		return "an invalid address"
	}
	return netip.AddrPortFrom(a, port).String()
}

// formatName returns a name that a guest gave so that it can be printed: as it is judged, or if it is
// no name, quoted, so that it brings no control characters along, and cut.
func formatName(s string, q query) string {
	if q.name != "" {
		return q.name
	}
	return strconv.QuoteToASCII(s[:min(len(s), maxName)])
}

// query is a Request with its addresses normalised.
type query struct {
	op        Op
	protocol  Protocol
	ephemeral bool
	own       bool
	lport     uint16
	rport     uint16
	local     netip.Addr
	remote    netip.Addr
	embedded  embeddedIPv4 // the IPv4 addresses in remote
	name      string
}

func (r *Request) normalized() query {
	q := query{
		op: r.Op, protocol: r.Protocol, ephemeral: r.Ephemeral, own: r.Own, name: r.Name,
		lport: r.Local.Port(), rport: r.Remote.Port(),
		local: normalizeAddr(r.Local.Addr()), remote: normalizeAddr(r.Remote.Addr()),
	}
	switch r.Op {
	case OpConnect:
		q.remote = connectDestination(q.remote)
	case OpBind, OpListen:
		q.remote = netip.Addr{}
	}
	if q.lport == 0 {
		q.ephemeral = true
	}
	if q.name != "" {
		q.name, _ = CanonicalName(q.name) // no name if that fails
	}
	q.embedded = embeddedIPv4Of(q.remote)
	return q
}

// complete reports whether q has all that its op needs.
func (q *query) complete() bool {
	switch q.op {
	case OpResolve:
		return q.name != ""
	case OpJoin:
		return q.remote.IsValid()
	}
	if q.protocol != TCP && q.protocol != UDP {
		return false
	}
	switch q.op {
	case OpConnect:
		return q.remote.IsValid() || q.name != ""
	case OpBind, OpListen:
		return q.local.IsValid()
	case OpAccept, OpReceive:
		return q.local.IsValid() && q.remote.IsValid()
	default:
		return false
	}
}

// isClient reports whether q is what a socket does that listens nowhere: it binds without a wish for
// an address, or receives where the host chose the port.
func (q *query) isClient() bool {
	return q.ephemeral && (q.op == OpReceive || q.op == OpBind && q.local.IsUnspecified())
}

// remotes lists the addresses that q's remote address is judged as.
func (q *query) remotes() []netip.Addr {
	if !q.remote.IsValid() {
		return nil
	}
	return append([]netip.Addr{q.remote}, q.embedded.all()...)
}

// allowPort is the local port that an allow rule must have: 0 stands for one of the host's choice.
func (q *query) allowPort() uint16 {
	if q.ephemeral {
		return 0
	}
	return q.lport
}
