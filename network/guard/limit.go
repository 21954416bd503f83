package guard

import (
	"fmt"
	"log/slog"
	"math"
	"syscall"
	"time"

	"golang.org/x/time/rate"

	"github.com/wasport/wasport/policy"
)

// limits are those of a policy, nil or 0 where there are none. Each holds a second's worth to begin
// with.
//
// Bytes are counted after they have gone, so that no call is cut into crumbs: who has any left may
// send or receive a second's worth at once, a datagram in any case whole, and then waits until that
// is paid for.
type limits struct {
	sockets           int
	memory            int64 // in bytes
	connects, lookups *rate.Limiter
	send, recv        *rate.Limiter // in bytes
}

// limitsOf makes the limits of a policy. What was used up under the old ones stays used up.
func (n *Network) limitsOf(p *policy.Policy, old limits) limits {
	if n.options.DryRun {
		return limits{}
	}
	l := p.Limits()
	return limits{
		sockets:  l.Sockets,
		memory:   n.memoryLimit(l.SocketMemory),
		connects: adjust(old.connects, int64(l.ConnectsPerSecond)),
		lookups:  adjust(old.lookups, int64(l.LookupsPerSecond)),
		send:     adjust(old.send, l.SendBytesPerSecond),
		recv:     adjust(old.recv, l.RecvBytesPerSecond),
	}
}

// memoryLimit is the limit of memory, of which there always is one.
func (n *Network) memoryLimit(l int64) int64 {
	own := n.options.SocketMemory
	switch {
	case l == 0 && own == 0:
		return DefaultSocketMemory
	case own == 0 || l != 0 && l < own:
		return l
	}
	return own
}

func adjust(l *rate.Limiter, perSecond int64) *rate.Limiter {
	if perSecond == 0 {
		return nil
	}
	burst := int(min(perSecond, math.MaxInt32))
	if l == nil {
		return rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	l.SetLimit(rate.Limit(perSecond))
	l.SetBurst(burst)
	return l
}

// bytes reports whether the bytes of either direction are limited.
func (l *limits) bytes() bool { return l.send != nil || l.recv != nil }

// owed is the time until there is something left to use again; 0 if there is.
func owed(l *rate.Limiter) time.Duration {
	left := l.Tokens()
	if left >= 1 {
		return 0
	}
	return time.Duration(math.Ceil((1-left)/float64(l.Limit())*1e6)) * time.Microsecond
}

// use takes what was used from what is left, or from what will be.
func use(l *rate.Limiter, n int) {
	now := time.Now()
	for most := l.Burst(); n > 0; n -= most {
		l.ReserveN(now, min(n, most))
	}
}

// reserve makes room for one more socket; release gives it back.
func (n *Network) reserve(now *regime) error {
	open := n.counters.open.Add(1)
	if now.sockets == 0 || open <= int64(now.sockets) {
		return nil
	}
	n.release()
	n.refusedBy("sockets", now.sockets)
	if n.options.Audit != nil {
		n.recordLimit("open", fmt.Sprintf("%d sockets", now.sockets))
	}
	return syscall.EMFILE
}

// refusedBy counts and tells that a limit refused something.
func (n *Network) refusedBy(name string, limit int) {
	n.counters.limited.Add(1)
	if n.options.OnLimit != nil {
		n.options.OnLimit(name, limit)
	}
}

func (n *Network) release() { n.counters.open.Add(-1) }

// mayStart asks the limit of connects: EAGAIN beyond it.
func (n *Network) mayStart(now *regime, r policy.Request) error {
	if now.connects == nil || now.connects.Allow() {
		return nil
	}
	n.refusedBy("connects_per_second", now.connects.Burst())
	if n.options.Audit != nil {
		n.recordLimit(policy.OpConnect.String(),
			fmt.Sprintf("%d connects per second", now.connects.Burst()),
			slog.String("protocol", r.Protocol.String()), slog.String("address", r.Remote.String()))
	}
	return syscall.EAGAIN
}

// cut shortens bufs to max bytes in total, for as long as a call takes: bufs[i] must be put back
// afterwards as it was, if i is not negative.
func cut(bufs [][]byte, max int) (short [][]byte, i int, was []byte) {
	for i, b := range bufs {
		if len(b) >= max {
			bufs[i] = b[:max]
			return bufs[:i+1], i, b
		}
		max -= len(b)
	}
	return bufs, -1, nil
}
