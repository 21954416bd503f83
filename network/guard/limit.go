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

// limits are the limits of a policy. A field is nil or 0 where the policy has no limit. A limiter
// holds one second's worth at the start.
//
// Bytes are charged after they were sent or received, so that no call is cut into small pieces. A
// guest with any budget left may overdraw it by up to one second's worth, and by a whole datagram
// in any case; its next call then waits until the debt is repaid.
type limits struct {
	sockets int
	// memory is in bytes.
	memory int64

	connects, lookups *rate.Limiter
	// sendBytes and recvBytes have one token for each byte.
	sendBytes, recvBytes *rate.Limiter
}

// limitsOf returns the limits of a policy. Budget that was used up under the old limits stays used
// up.
func (n *Network) limitsOf(p *policy.Policy, old limits) limits {
	if n.options.DryRun {
		return limits{}
	}
	l := p.Limits()
	return limits{
		sockets:   l.Sockets,
		memory:    n.memoryLimit(l.SocketMemory),
		connects:  adjustLimiter(old.connects, int64(l.ConnectsPerSecond)),
		lookups:   adjustLimiter(old.lookups, int64(l.LookupsPerSecond)),
		sendBytes: adjustLimiter(old.sendBytes, l.SendBytesPerSecond),
		recvBytes: adjustLimiter(old.recvBytes, l.RecvBytesPerSecond),
	}
}

// memoryLimit returns the lower of the policy's limit and the option's, or the default if both are
// 0. A guest is never without a limit of memory.
func (n *Network) memoryLimit(fromPolicy int64) int64 {
	fromOptions := n.options.SocketMemory
	switch {
	case fromPolicy == 0 && fromOptions == 0:
		return DefaultSocketMemory
	case fromOptions == 0 || fromPolicy != 0 && fromPolicy < fromOptions:
		return fromPolicy
	}
	return fromOptions
}

// adjustLimiter changes the rate of a limiter, or makes one. It returns nil for a rate of 0.
func adjustLimiter(l *rate.Limiter, perSecond int64) *rate.Limiter {
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

// limitsBytes reports whether the bytes of either direction are limited.
func (l *limits) limitsBytes() bool { return l.sendBytes != nil || l.recvBytes != nil }

// delay returns the time until a limiter has a token, and 0 if it has one.
func delay(l *rate.Limiter) time.Duration {
	left := l.Tokens()
	if left >= 1 {
		return 0
	}
	return time.Duration(math.Ceil((1-left)/float64(l.Limit())*1e6)) * time.Microsecond
}

// charge takes n tokens, and leaves a debt if the limiter has fewer.
func charge(l *rate.Limiter, n int) {
	now := time.Now()
	for burst := l.Burst(); n > 0; n -= burst { // ReserveN refuses more than the burst
		l.ReserveN(now, min(n, burst))
	}
}

// reserveSocket counts one more open socket, and returns EMFILE beyond the limit. releaseSocket
// undoes it.
func (n *Network) reserveSocket(active *policySnapshot) error {
	open := n.counters.openSockets.Add(1)
	if active.sockets == 0 || open <= int64(active.sockets) {
		return nil
	}
	n.memory.locked(func(m *memoryAccount) error {
		m.sweep() // closed sockets may have sent their data since
		return nil
	})
	if n.counters.openSockets.Load() <= int64(active.sockets) {
		return nil
	}
	n.releaseSocket()
	n.noteLimited(policy.OpOpen, "sockets", active.sockets)
	if n.options.Audit != nil {
		n.recordLimit(policy.OpOpen, fmt.Sprintf("%d sockets", active.sockets))
	}
	return syscall.EMFILE
}

func (n *Network) releaseSocket() { n.counters.openSockets.Add(-1) }

// noteLimited counts a call that a limit refused, among the denied ones too, and calls OnLimit.
func (n *Network) noteLimited(op policy.Op, name string, limit int) {
	n.counters.limited.Add(1)
	n.counters.denied[op].Add(1)
	if n.options.OnLimit != nil {
		n.options.OnLimit(name, limit)
	}
}

// chargeConnect charges one connect, and returns EAGAIN beyond the limit (connect(2)).
func (n *Network) chargeConnect(active *policySnapshot, r policy.Request) error {
	if active.connects == nil || active.connects.Allow() {
		return nil
	}
	n.noteLimited(policy.OpConnect, "connects_per_second", active.connects.Burst())
	if n.options.Audit != nil {
		n.recordLimit(policy.OpConnect,
			fmt.Sprintf("%d connects per second", active.connects.Burst()),
			slog.String("protocol", r.Protocol.String()), slog.String("address", destinationOf(r)))
	}
	return syscall.EAGAIN
}

// truncateBufs shortens bufs to size bytes in total. It changes bufs[i], and the caller must set it
// back to original after the call; nothing was changed if i is negative.
func truncateBufs(bufs [][]byte, size int) (short [][]byte, i int, original []byte) {
	for i, b := range bufs {
		if len(b) >= size {
			bufs[i] = b[:size]
			return bufs[:i+1], i, b
		}
		size -= len(b)
	}
	return bufs, -1, nil
}
