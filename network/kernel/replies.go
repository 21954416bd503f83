package kernel

import (
	"context"
	"net"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// replies finds how long the answer to one lookup holds, which Go's resolver does not tell. It
// reads the replies of servers as they arrive, and takes the shortest of their lives (RFC 2181,
// section 5.2; RFC 1035, section 3.2.1). So a datagram that Go's resolver does not accept can only
// shorten it. The life is 0 if a query had no reply over UDP that was whole and without an error,
// since the answer may then lack a part. It is also 0 if Go's resolver sent no query: then the
// system looked the name up, and does not tell the life either.
type replies struct {
	mu      sync.Mutex
	queries int
	// replied counts the queries that had a reply.
	replied int
	// shortest is the shortest life of a reply, once there is one.
	shortest time.Duration
}

type dialFunc = func(ctx context.Context, transport, server string) (net.Conn, error)

// wrapDial returns a dial function whose connections read the replies. Go's resolver dials once for
// each query, and takes any PacketConn for one of UDP.
func (r *replies) wrapDial(dial dialFunc) dialFunc {
	return func(ctx context.Context, transport, server string) (net.Conn, error) {
		c, err := dial(ctx, transport, server)
		r.mu.Lock()
		r.queries++
		r.mu.Unlock()
		if p, ok := c.(packetConn); ok && err == nil {
			return &replyConn{packetConn: p, replies: r}, nil
		}
		return c, err
	}
}

// life returns the life of the answer to the lookup.
func (r *replies) life() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.replied < r.queries {
		return 0
	}
	return r.shortest
}

type packetConn interface {
	net.Conn
	net.PacketConn
}

// replyConn reads the replies to one query.
type replyConn struct {
	packetConn
	replies *replies
	replied bool
}

func (c *replyConn) Read(b []byte) (int, error) {
	n, err := c.packetConn.Read(b)
	if err != nil {
		return n, err
	}
	life := lifeOfReply(b[:n])
	r := c.replies
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.replied == 0 || life < r.shortest {
		r.shortest = life
	}
	if !c.replied {
		c.replied = true
		r.replied++
	}
	return n, nil
}

// lifeOfReply returns how long a reply holds: as long as each of its answers, and one without an
// address of the type as long as the zone says (RFC 2308, section 5).
func lifeOfReply(b []byte) time.Duration {
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil || !m.Response || m.Truncated ||
		m.RCode != dnsmessage.RCodeSuccess || len(m.Questions) != 1 {
		return 0
	}
	seconds, found := uint32(1<<31-1), false
	for _, a := range m.Answers {
		seconds = min(seconds, ttl(a.Header.TTL))
		found = found || a.Header.Type == m.Questions[0].Type
	}
	if !found {
		zone := uint32(0)
		for _, a := range m.Authorities {
			if soa, ok := a.Body.(*dnsmessage.SOAResource); ok {
				zone = min(ttl(a.Header.TTL), ttl(soa.MinTTL))
			}
		}
		seconds = min(seconds, zone)
	}
	return time.Duration(seconds) * time.Second
}

// ttl returns a TTL in seconds. One with the highest bit is 0 (RFC 2181, section 8).
func ttl(seconds uint32) uint32 {
	if seconds > 1<<31-1 {
		return 0
	}
	return seconds
}
