package virtual

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/internal/ring"
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
// that a queue has no room for is lost, as by UDP. As on Linux, the socket gets a port even if the
// call then fails (inet_send_prepare of net/ipv4/af_inet.c).
func (s *udpSocket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	beyond, err := s.sendInside(bufs, to)
	if err != nil {
		return 0, err
	}
	if beyond {
		return s.sendOutside(bufs, to)
	}
	return ring.TotalLen(bufs), nil
}

// sendInside sends to the hosts of the world, and reports whether the datagram is for one beyond
// the gateway instead.
func (s *udpSocket) sendInside(bufs [][]byte, to netip.AddrPort) (beyond bool, err error) {
	w := s.host.world
	w.mu.RLock()
	for s.local.Port() == 0 {
		w.mu.RUnlock()
		if err := s.ensurePort(); err != nil {
			return false, err
		}
		w.mu.RLock()
	}
	defer w.mu.RUnlock()
	size := ring.TotalLen(bufs)
	if size > maxMTU || len(bufs) > maxBufs && countFull(bufs) > maxBufs {
		return false, syscall.EMSGSIZE
	}
	to, toPeer, err := s.receiverAddr(to)
	if err != nil {
		return false, err
	}
	if err := s.checkSend(to.Addr(), size); err != nil {
		return false, err
	}
	return s.deliver(bufs, to, toPeer)
}

// ensurePort gives the socket a port, unless another call has done so.
func (s *udpSocket) ensurePort() error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	return s.autobind()
}

// receiverAddr returns the address that a datagram goes to, unmapped, and whether it is that of the
// peer. An invalid address stands for the peer.
func (s *udpSocket) receiverAddr(to netip.AddrPort) (addr netip.AddrPort, toPeer bool, err error) {
	p := s.peer.Load()
	switch toPeer = !to.IsValid(); {
	case toPeer && p == nil:
		return to, false, syscall.EDESTADDRREQ
	case toPeer:
		to = *p
	case s.family == network.IPv4 && !to.Addr().Is4():
		return to, false, syscall.EAFNOSUPPORT
	case to.Port() == 0:
		return to, false, syscall.EINVAL
	default:
		toPeer = p != nil && *p == s.present(to)
	}
	dest, err := s.destination(to.Addr())
	return netip.AddrPortFrom(dest, to.Port()), toPeer, err
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

// checkSend returns the errors of sendto(2) that do not depend on the receiver.
func (s *udpSocket) checkSend(to netip.Addr, size int) error {
	if isBroadcast(to) && !s.flag(network.Broadcast) {
		return syscall.EACCES
	}
	if err := s.takePending(); err != nil {
		return err
	}
	if s.shut.Load()&sendShut != 0 {
		return syscall.EPIPE
	}
	header := header4
	if to.Is6() {
		header = header6 - 40 // the length field counts the payload alone (RFC 8200, section 3)
	}
	if size+header > maxMTU {
		return syscall.EMSGSIZE
	}
	return nil
}

func isBroadcast(a netip.Addr) bool {
	return a == broadcast4 || a == netip.AddrFrom4([4]byte{127, 255, 255, 255})
}

// deliver finds the receivers of a datagram. world.mu is held for reading, so that datagrams do not
// wait for each other.
func (s *udpSocket) deliver(bufs [][]byte, to netip.AddrPort, toPeer bool) (beyond bool,
	err error) {
	switch a := to.Addr(); {
	case a.IsMulticast():
		return false, s.sendToGroup(bufs, to)
	case isBroadcast(a):
		return false, s.sendToAll(bufs, to)
	}
	h, err := s.host.route(to.Addr())
	if err != nil {
		return false, err
	}
	from, err := s.sourceFor(to.Addr())
	switch {
	case err != nil:
		return false, err
	case h == nil:
		return true, nil
	case s.host.tooLong(bufs, to.Addr()):
		return false, syscall.EMSGSIZE
	}
	source := netip.AddrPortFrom(from, s.local.Port())
	if r := h.receiver(source, to); r != nil {
		r.receive(bufs, source)
	} else if toPeer {
		// The answer is an ICMP message, which a connected socket alone is told of (udp(7)).
		s.pending.Store(uint32(syscall.ECONNREFUSED))
		s.watch.wake(network.Failed)
	}
	return false, nil
}

// tooLong reports whether a datagram is longer than a packet to an address.
func (h *Host) tooLong(bufs [][]byte, to netip.Addr) bool {
	header := header4
	if to.Is6() {
		header = header6
	}
	mtu := h.mtu(to)
	return mtu < maxMTU && ring.TotalLen(bufs)+header > mtu
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
	limit := int(s.limit(network.RecvBuffer))
	if s.shut.Load()&recvShut == 0 && s.queue.Put(bufs, s.present(from), limit) {
		s.watch.wake(network.Readable)
	}
}
