package guard

import (
	"net/netip"
	"sync"
)

// contacts remembers from whom the sockets of a guest have received, to whom they may therefore
// answer. Anybody can make it remember one more, by sending from one more address, so it keeps the
// latest: at least generation of them, at most twice as many.
type contacts struct {
	mu         sync.Mutex
	young, old map[contact]struct{}
}

const generation = 8192

// contact is a sender, as one socket knows it.
type contact struct {
	socket uint64
	from   netip.AddrPort
}

func contactOf(socket uint64, from netip.AddrPort) contact {
	return contact{socket, netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port())}
}

func (c *contacts) add(who contact) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.young[who]; ok {
		return
	}
	if c.young == nil || len(c.young) == generation {
		c.young, c.old = c.old, c.young
		if c.young == nil {
			c.young = make(map[contact]struct{})
		}
		clear(c.young)
	}
	c.young[who] = struct{}{}
}

func (c *contacts) has(who contact) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, young := c.young[who]
	_, old := c.old[who]
	return young || old
}
