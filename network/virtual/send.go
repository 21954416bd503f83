package virtual

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// The sizes of the headers of a datagram in bytes.
const (
	header4 = 20 + 8
	header6 = 40 + 8
)

// maxBufs is the number of buffers that a datagram may be in (UIO_MAXIOV of Linux, readv(2)).
const maxBufs = 1024

// Send sends a datagram. It is in the queues of its receivers when Send returns, or nowhere: one
// that a queue has no room for is lost, as by UDP.
func (s *udpSocket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	size := totalLen(bufs)
	if size > maxMTU || len(bufs) > maxBufs && countFull(bufs) > maxBufs {
		return 0, syscall.EMSGSIZE
	}
	toPeer := !to.IsValid()
	if p := s.peer.Load(); toPeer {
		if p == nil {
			return 0, syscall.EDESTADDRREQ
		}
		to = *p
	} else {
		if s.family == network.IPv4 && !to.Addr().Is4() {
			return 0, syscall.EAFNOSUPPORT
		}
		toPeer = p != nil && *p == s.present(to)
	}
	dest, err := s.destination(to.Addr())
	if err != nil {
		return 0, err
	}
	to = netip.AddrPortFrom(dest, to.Port())
	if err := s.checkSend(to, size); err != nil {
		return 0, err
	}
	if err := s.deliver(bufs, to, toPeer); err != nil {
		return 0, err
	}
	return size, nil
}

// countFull returns the number of buffers that are not empty.
func countFull(bufs [][]byte) (n int) {
	for _, b := range bufs {
		if len(b) > 0 {
			n++
		}
	}
	return n
}

// checkSend returns the errors of sendto(2) that do not depend on who receives.
func (s *udpSocket) checkSend(to netip.AddrPort, size int) error {
	switch {
	case to.Port() == 0:
		return syscall.EINVAL
	case isBroadcast(to.Addr()) && !s.flag(network.Broadcast):
		return syscall.EACCES
	}
	if err := s.takePending(); err != nil {
		return err
	}
	if s.shut.Load()&sendShut != 0 {
		return syscall.EPIPE
	}
	header := header4
	if to.Addr().Is6() {
		header = header6 - 40 // whose length field counts the payload alone (RFC 8200, section 3)
	}
	if size+header > maxMTU {
		return syscall.EMSGSIZE
	}
	return nil
}

func isBroadcast(a netip.Addr) bool {
	return a == broadcast4 || a == netip.AddrFrom4([4]byte{127, 255, 255, 255})
}

// deliver finds the receivers of a datagram. The lock of the world is held for reading, so that
// datagrams on different ways do not wait for each other.
func (s *udpSocket) deliver(bufs [][]byte, to netip.AddrPort, toPeer bool) error {
	w := s.host.world
	w.mu.RLock()
	for s.local.Port() == 0 {
		w.mu.RUnlock()
		w.mu.Lock()
		err := s.autobindOpen()
		w.mu.Unlock()
		if err != nil {
			return err
		}
		w.mu.RLock()
	}
	defer w.mu.RUnlock()
	switch a := to.Addr(); {
	case a.IsMulticast():
		return s.sendToGroup(bufs, to)
	case isBroadcast(a):
		return s.sendToAll(bufs, to)
	}
	h, err := s.host.route(to.Addr())
	if err != nil {
		return err
	}
	if h == nil {
		return s.sendOutside(w.gateway, bufs, to)
	}
	from, err := s.sourceFor(to.Addr())
	if err != nil {
		return err
	}
	if s.host.tooLong(bufs, to.Addr()) {
		return syscall.EMSGSIZE
	}
	source := netip.AddrPortFrom(from, s.local.Port())
	if r := h.receiver(source, to); r != nil {
		r.receive(bufs, source)
	} else if toPeer {
		// The answer is an ICMP message, which a connected socket alone is told of (udp(7)).
		s.pending.Store(uint32(syscall.ECONNREFUSED))
		s.watch.wake(network.Failed)
	}
	return nil
}

func (s *udpSocket) autobindOpen() error {
	if s.closed.Load() {
		return net.ErrClosed
	}
	return s.autobind()
}

// tooLong reports whether a datagram is longer than a packet to an address.
func (h *Host) tooLong(bufs [][]byte, to netip.Addr) bool {
	header := header4
	if to.Is6() {
		header = header6
	}
	mtu := h.mtu(to)
	return mtu < maxMTU && totalLen(bufs)+header > mtu
}

// receiver returns the socket that a datagram to one host is for, or nil: a connected one rather
// than others, then by its local address, and the latest of several that share it. Those that
// share by SO_REUSEPORT take turns by the sender (socket(7)).
func (h *Host) receiver(from, to netip.AddrPort) *udpSocket {
	p := h.udp[to.Port()]
	if p == nil {
		return nil
	}
	var best *udpSocket
	score, sharing := 0, uint32(0)
	for _, r := range p.receivers {
		n := r.matches(to.Addr())
		if peer := r.peer.Load(); n > 0 && peer != nil {
			if unmapped(*peer) != from {
				continue
			}
			n += 8
		}
		switch {
		case n == 0 || n < score:
		case n > score:
			best, score, sharing = r, n, 1
		case r.shares:
		case r.flag(network.ReusePort):
			// The one of n sharers is the last for which the hash is a multiple of its number.
			if sharing++; hashOf(from)%sharing == 0 {
				best = r
			}
		default:
			best = r
		}
	}
	return best
}

// hashOf mixes a sender's address (FNV-1a).
func hashOf(a netip.AddrPort) uint32 {
	h := uint32(2166136261)
	for _, b := range a.Addr().As16() {
		h = (h ^ uint32(b)) * 16777619
	}
	h = (h ^ uint32(a.Port())) * 16777619
	return h ^ h>>16
}

// receive puts a datagram into the socket's queue, if there is room.
func (s *udpSocket) receive(bufs [][]byte, from netip.AddrPort) {
	if s.shut.Load()&recvShut == 0 && s.queue.put(bufs, s.present(from), int(s.recvLimit())) {
		s.watch.wake(network.Readable)
	}
}
