package policy

import (
	"net/netip"
	"strconv"
)

// Op is the kind of a request: a call of the guest, or an incoming connection or datagram.
type Op uint8

const (
	// OpConnect is connect(2), or one datagram to an address. Remote is the destination, or Path
	// if Protocol is Unix.
	OpConnect Op = iota

	// OpBind gives a socket a local address. Local is the address that was asked for. An Ephemeral
	// bind to an unspecified address is not listening, so a guest with any connect rule of the
	// protocol may do it. A bind of a Unix-domain socket makes the file at Path.
	OpBind

	// OpListen is listen(2). Local is the address of the socket. That of an unbound socket is
	// unspecified and Ephemeral. Path is that of a Unix-domain socket, which is bound.
	OpListen

	// OpAccept is an incoming connection. Local is the address to which the listener is bound, not
	// the one at which the connection arrived. Remote is the peer. A connection that is not
	// admitted is closed before the guest sees it.
	OpAccept

	// OpReceive is an incoming datagram. Local is the address to which the socket is bound. Remote
	// is the sender. An Ephemeral socket also receives from an address to which the guest may
	// connect. A datagram that is not admitted is dropped. A datagram from the address to which the
	// socket is connected is judged as OpConnect instead.
	OpReceive

	// OpJoin joins a multicast group. Remote is the group; its port is ignored. To leave a group
	// needs no permission.
	OpJoin

	// OpResolve is a lookup. Name is the name. [Policy.Answer] judges the answer.
	OpResolve

	// OpAlter is a call that changes an adopted socket for its owner too. No policy allows it.
	// Local is the address of the socket, Name is the call.
	OpAlter

	// OpOpen makes a socket of Protocol. It is allowed if a rule could ever allow the socket to
	// connect or to listen. Guests of WASI 0.2 are refused the socket itself; others are refused
	// what they do with it.
	OpOpen
)

var opNames = [...]string{"connect", "bind", "listen", "accept", "receive", "join", "resolve",
	"alter", "open"}

func (o Op) String() string { return opNames[o] }

// action returns the action of the rules that judge o.
func (o Op) action() Action {
	return [...]Action{ActionConnect, ActionListen, ActionListen, ActionListen, ActionListen,
		ActionJoin, ActionResolve}[o]
}

// Request is a request to be judged. Its addresses need not be normalized.
type Request struct {
	Op Op
	// Protocol is exactly one. OpJoin and OpResolve need none.
	Protocol Protocol
	// Local is used by OpBind, OpListen, OpAccept, OpReceive and OpAlter.
	Local netip.AddrPort
	// Remote is used by OpConnect, OpAccept, OpReceive and OpJoin.
	Remote netip.AddrPort
	// Ephemeral tells that the host chose, or is to choose, the port of Local.
	Ephemeral bool
	// Own tells that Remote is an address of this host, for which no name, "*" or "public" stands.
	Own bool
	// Name is used by OpResolve and OpAlter, and by an OpConnect to the port of Remote without an
	// address, which asks for every address of the name.
	Name string
	// Remotely tells that a proxy resolves the Name of an OpConnect, so that it may have any
	// address. A rule for the name, or for "any", allows it, and each deny rule for the port
	// refuses it.
	Remotely bool
	// Path is the absolute path of a Unix-domain socket, as the guest sees it. It has no ".", ".."
	// and empty name.
	Path string
}

// String returns the request in words, such as "connect tcp 10.0.0.5:5432", with the addresses that
// are judged.
func (r Request) String() string {
	s := r.Op.String()
	if r.Protocol == TCP || r.Protocol == UDP || r.Protocol == Unix {
		s += " " + r.Protocol.String()
	}
	if r.Protocol == Unix && r.Op != OpOpen && r.Op != OpAlter {
		return s + " " + formatPath(r.Path)
	}
	switch q := r.normalized(); r.Op {
	case OpBind, OpListen:
		return s + " " + formatAddrPort(q.local, q.allowPort())
	case OpAlter:
		return s + " " + formatAddrPort(q.local, q.lport) + " by " + r.Name
	case OpAccept, OpReceive:
		return s + " " + formatAddrPort(q.local, q.allowPort()) + " from " +
			formatAddrPort(q.remote, q.rport)
	case OpJoin:
		return s + " " + q.remote.String()
	case OpOpen:
		return s
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

// formatName returns a name of a guest for a message. A text that is not a name is quoted and cut,
// so that no control character reaches a terminal.
func formatName(s string, q query) string {
	if q.name != "" {
		return q.name
	}
	return strconv.QuoteToASCII(s[:min(len(s), maxName)])
}

// query is a Request with normalized addresses.
type query struct {
	op        Op
	protocol  Protocol
	ephemeral bool
	own       bool
	remotely  bool
	lport     uint16
	rport     uint16
	local     netip.Addr
	remote    netip.Addr
	// embedded has the IPv4 addresses in remote.
	embedded embeddedIPv4
	// name is the name, or the path of a Unix-domain socket.
	name string
}

// normalized returns the addresses and the name that are judged.
func (r *Request) normalized() (q query) {
	if r.Protocol == Unix {
		return query{op: r.Op, protocol: Unix, name: r.Path}
	}
	q = query{
		op: r.Op, protocol: r.Protocol, ephemeral: r.Ephemeral, own: r.Own, name: r.Name,
		remotely: r.Remotely,
		lport:    r.Local.Port(), rport: r.Remote.Port(),
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
		q.name, _ = CanonicalName(q.name) // "" after an error
	}
	q.embedded = embeddedIPv4Of(q.remote)
	return q
}

// complete reports whether q has every field that its op needs.
func (q *query) complete() bool {
	switch q.op {
	case OpResolve:
		return q.name != ""
	case OpJoin:
		return q.remote.IsValid()
	}
	if q.protocol == Unix {
		return isUnixOp(q.op) && q.name != ""
	}
	if q.protocol != TCP && q.protocol != UDP {
		return false
	}
	switch q.op {
	case OpConnect:
		return q.remote.IsValid() || q.name != ""
	case OpOpen:
		return true
	case OpBind, OpListen:
		return q.local.IsValid()
	case OpAccept, OpReceive:
		return q.local.IsValid() && q.remote.IsValid()
	default:
		return false
	}
}

// isClient reports whether q is a request of a socket that does not listen: a bind to no particular
// address, or a datagram to an ephemeral port.
func (q *query) isClient() bool {
	return q.ephemeral && (q.op == OpReceive || q.op == OpBind && q.local.IsUnspecified())
}

// remotes returns the addresses as which q's remote address is judged.
func (q *query) remotes() []netip.Addr {
	if !q.remote.IsValid() {
		return nil
	}
	list := []netip.Addr{q.remote}
	for i := range q.embedded.n {
		list = append(list, q.embedded.at(i))
	}
	return list
}

// allowPort returns the local port that an allow rule must have: 0 for an ephemeral port.
func (q *query) allowPort() uint16 {
	if q.ephemeral {
		return 0
	}
	return q.lport
}
