package guard

import (
	"net/netip"
	"time"
)

// judged are the latest addresses that a socket for datagrams may send to, or receive from: most
// sockets talk to few, and so often that to ask for a decision each time would show.
type judged struct {
	latest [8]judgement
	next   uint8 // to be forgotten
}

// judgement is a permission that holds as long as the regime does or, if until is not 0, until
// then.
type judgement struct {
	address netip.AddrPort
	regime  *regime
	until   time.Duration // since the Network began
}

// recheck is how long a permission that comes from a lookup is not asked for again. A later lookup
// may have ended it meanwhile, after which there is a minute of grace anyway.
const recheck = time.Second

func (j *judged) has(n *Network, now *regime, a netip.AddrPort) bool {
	for i := range j.latest {
		if l := &j.latest[i]; l.regime == now && l.address == a &&
			(l.until == 0 || time.Since(n.began) < l.until) {
			return true
		}
	}
	return false
}

func (j *judged) add(n *Network, now *regime, a netip.AddrPort, named bool) {
	l := judgement{address: a, regime: now}
	if named {
		l.until = time.Since(n.began) + recheck
	}
	j.latest[j.next] = l
	j.next = (j.next + 1) % uint8(len(j.latest))
}
