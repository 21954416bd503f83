package guard

import (
	"net/netip"
	"time"
)

// verdictCache holds the latest addresses that a datagram socket may send to, or receive from. Most
// sockets have few peers, and a decision for each datagram would cost a good part of sendto(2).
type verdictCache struct {
	latest [8]verdict
	// next is the index of the verdict that the next one replaces.
	next uint8
}

// verdict is a permission. It holds while the snapshot is active and, if expires is not 0, until
// then.
type verdict struct {
	address  netip.AddrPort
	snapshot *policySnapshot
	// expires is the time since Network.created.
	expires time.Duration
}

// lookupVerdictLife is the life of a verdict that depends on a lookup. A later lookup may revoke
// the address meanwhile; package policy keeps a revoked address for another minute anyway.
const lookupVerdictLife = time.Second

// has reports whether a verdict on an address holds.
func (c *verdictCache) has(n *Network, active *policySnapshot, a netip.AddrPort) bool {
	for i := range c.latest {
		if v := &c.latest[i]; v.snapshot == active && v.address == a &&
			(v.expires == 0 || time.Since(n.created) < v.expires) {
			return true
		}
	}
	return false
}

// add remembers a permission. fromLookup tells that it depends on a lookup.
func (c *verdictCache) add(n *Network, active *policySnapshot, a netip.AddrPort,
	fromLookup bool) {
	v := verdict{address: a, snapshot: active}
	if fromLookup {
		v.expires = time.Since(n.created) + lookupVerdictLife
	}
	c.latest[c.next] = v
	c.next = (c.next + 1) % uint8(len(c.latest))
}
