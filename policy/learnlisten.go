package policy

import (
	"net/netip"
	"slices"
)

// localPort is a local address with a port. Port 0 is an ephemeral port.
type localPort struct {
	protocol Protocol
	local    netip.Addr
	port     uint16
}

func (q *query) localPort() localPort { return localPort{q.protocol, q.local, q.lport} }

// listener is what a guest did at one localPort.
type listener struct {
	// bound tells that the guest bound or listened there, which needs a rule even without peers.
	bound bool
	// peers has the addresses of all peers.
	peers []netip.Addr
	// unsolicited has those peers that no connect rule admits.
	unsolicited []netip.Addr
}

// listeners has the listeners of a guest. Each gets at most one rule: a second one, for the same
// address, with other peers, would widen the first or be of no use.
type listeners map[localPort]*listener

// listener returns the listener at q's local address.
func (l listeners) listener(q *query) *listener {
	x := l[q.localPort()]
	if x == nil {
		x = new(listener)
		l[q.localPort()] = x
	}
	return x
}

// addRules adds a listen rule for each listener that needs one.
func (l listeners) addRules(need neededPorts) {
	for at, v6 := range l {
		v4 := l[localPort{at.protocol, netip.IPv4Unspecified(), at.port}]
		if at.local == netip.IPv6Unspecified() && v4 != nil {
			v4.share(v6)
		}
	}
	for at, x := range l {
		if x.needed() {
			g := ruleKey{ActionListen, at.protocol, bracketed(at.local), ""}
			if peers := x.group(); peers != anyHost {
				g.from = peers.String()
			}
			need.add(g, at.port)
		}
	}
}

// share takes IPv4 peers from v6, which is the listener at ::, where the rule of v4, at 0.0.0.0,
// admits them too (see findListen). If v4 had no peers, they count as its own, so that its rule
// lets nobody else come to ::.
func (v4 *listener) share(v6 *listener) {
	if len(v4.peers) == 0 {
		v4.peers = slices.DeleteFunc(slices.Clone(v6.peers), netip.Addr.Is6)
	}
	if v4.needed() {
		group := v4.group()
		v6.unsolicited = slices.DeleteFunc(v6.unsolicited,
			func(a netip.Addr) bool { return a.Is4() && group.contains(a) })
	}
}

// needed reports whether the listener needs a rule.
func (x *listener) needed() bool { return x.bound || len(x.unsolicited) > 0 }

// group returns the group that the rule admits: one of all unsolicited peers or, if there are none,
// of all peers.
func (x *listener) group() host {
	peers := x.unsolicited
	if len(peers) == 0 {
		peers = x.peers
	}
	for _, c := range []class{classLoopback, classPrivate, classLinkLocal} {
		group := host{kind: byClass, class: c}
		outside := func(a netip.Addr) bool { return !group.contains(a) }
		if len(peers) > 0 && !slices.ContainsFunc(peers, outside) {
			return group
		}
	}
	return anyHost
}
