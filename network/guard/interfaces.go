package guard

import (
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var _ network.Lister = (*Network)(nil)

// HostAddrs lists the addresses of the host that the guest may know: those that it may connect to,
// or listen on, at some port. The others would tell a guest where it runs, and no rule grants that.
func (n *Network) HostAddrs() ([]network.HostAddr, error) {
	base, ok := n.base.(network.Lister)
	if !ok {
		return nil, nil
	}
	n.addrs.forget()
	all, err := base.HostAddrs()
	if err != nil || n.options.DryRun {
		return all, err
	}
	p := n.Policy()
	var known []network.HostAddr
	for _, h := range all {
		if n.knowsAddr(p, h.Prefix.Addr()) {
			known = append(known, h)
		}
	}
	return known, nil
}

// addrListLife is how long a list of the host's addresses answers questions about interfaces. A
// list takes more time and memory than the calls that ask, and a guest may name another interface
// in each. It is so short that a guest which is told of a new interface finds it.
const addrListLife = 20 * time.Millisecond

// addrList is the latest list of the host's addresses, which stays as it is. mu protects it.
type addrList struct {
	mu  sync.Mutex
	all []network.HostAddr
	// expires is the time since Network.created.
	expires time.Duration
}

// forget has the next question make a list.
func (l *addrList) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all, l.expires = nil, 0
}

// hostAddrs returns the host's addresses as of addrListLife ago or later. Without a list of them
// the guest knows no interface.
func (n *Network) hostAddrs() []network.HostAddr {
	base, ok := n.base.(network.Lister)
	if !ok {
		return nil
	}
	l := &n.addrs
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(n.created) >= l.expires {
		l.all, _ = base.HostAddrs()
		l.expires = time.Since(n.created) + addrListLife
	}
	return l.all
}

// knowsAddr reports whether the guest may know an address of the host.
func (n *Network) knowsAddr(p *policy.Policy, a netip.Addr) bool {
	at := netip.AddrPortFrom(a, 0)
	for _, protocol := range [...]policy.Protocol{policy.TCP, policy.UDP} {
		connect := policy.Request{Op: policy.OpConnect, Protocol: protocol, Remote: at, Own: true}
		listen := policy.Request{Op: policy.OpListen, Protocol: protocol, Local: at}
		if p.Decide(connect, n.pins).Allowed || p.Decide(listen, n.pins).Allowed {
			return true
		}
	}
	return false
}

// ownsPublicAddr reports whether a destination is a public address of the host. Other addresses
// need no such question: only a rule that names them covers them.
func (n *Network) ownsPublicAddr(a netip.Addr) bool {
	base, ok := n.base.(network.Owner)
	return ok && a.Unmap().IsGlobalUnicast() && !a.Unmap().IsPrivate() && base.Owns(a)
}

// knowsInterface reports whether the guest may name an interface: one with an address that it may
// know, or none.
func (n *Network) knowsInterface(iface network.Interface) bool {
	a := iface.Addr
	if a.IsValid() && !a.IsUnspecified() && !n.enforceKnown(a, n.knowsAddr(n.Policy(), a)) {
		return false
	}
	return iface.Index == 0 ||
		n.knowsMatching(func(h network.HostAddr) bool { return h.Index == iface.Index })
}

// knowsZone is knowsInterface for the zone of an address, which is the name or the index of an
// interface (RFC 4007, section 11.2).
func (n *Network) knowsZone(zone string) bool {
	return n.knowsMatching(func(h network.HostAddr) bool {
		return h.Name == zone || strconv.FormatUint(uint64(h.Index), 10) == zone
	})
}

// knowsMatching reports whether the guest may know one of the matching addresses of the host. If it
// may not, the first of them is recorded.
func (n *Network) knowsMatching(matches func(network.HostAddr) bool) bool {
	p, first := n.Policy(), netip.Addr{}
	for _, h := range n.hostAddrs() {
		a := h.Prefix.Addr()
		switch {
		case !matches(h):
		case n.knowsAddr(p, a):
			return n.enforceKnown(a, true)
		case !first.IsValid():
			first = a
		}
	}
	return first.IsValid() && n.enforceKnown(first, false) || n.options.DryRun
}

// enforceKnown records or learns the use of an interface, as a bind to an ephemeral port of its
// address: that is the least request whose permission lets the guest know the address. The guest
// cannot tell an unknown interface from one that does not exist; the record can.
func (n *Network) enforceKnown(a netip.Addr, known bool) bool {
	active := n.active.Load()
	at := netip.AddrPortFrom(a, 0)
	r := policy.Request{Op: policy.OpBind, Protocol: policy.UDP, Local: at, Ephemeral: true}
	if !known {
		if d := active.policy.Decide(r, n.pins); !d.Allowed {
			n.enforce(active, &r, d)
		}
	} else if n.options.Learner != nil {
		n.options.Learner.Request(r)
	}
	return known || n.options.DryRun
}
