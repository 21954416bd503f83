package guard

import (
	"net/netip"
	"time"

	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/policy"
)

var _ sendbehind.Socket = (*socket)(nil)

// Hold judges and counts a send as Send does. It refuses a datagram to an address for which no
// verdict is remembered, and every send under a limit of bytes, which may have to wait.
func (s *socket) Hold(bufs [][]byte, to netip.AddrPort) sendbehind.Result {
	active := s.net.active.Load()
	if s.behind == nil || active.sendBytes != nil {
		return sendbehind.Refused
	}
	if s.protocol == policy.TCP {
		to = netip.AddrPort{}
	} else {
		var err error
		if to, err = s.normalizeDest(to); err != nil || !s.mayStillSend(active, to) {
			return sendbehind.Refused
		}
	}
	result := s.behind.Hold(bufs, to)
	if result != sendbehind.Refused {
		n := 0
		for _, b := range bufs {
			n += len(b)
		}
		s.net.counters.sentBytes.Add(uint64(n))
	}
	return result
}

// mayStillSend reports whether a verdict on a destination is remembered: the peer if to is invalid.
func (s *socket) mayStillSend(active *policySnapshot, to netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !to.IsValid() {
		to = s.datagram.peer
	}
	return to.IsValid() && s.datagram.sendCache.has(s.net, active, to)
}

// Flush implements sendbehind.Socket.
func (s *socket) Flush() error {
	if s.behind == nil {
		return nil
	}
	return s.behind.Flush()
}

// HeldSince implements sendbehind.Socket.
func (s *socket) HeldSince() (at time.Duration, held bool) {
	if s.behind == nil {
		return 0, false
	}
	return s.behind.HeldSince()
}
