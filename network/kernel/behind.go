package kernel

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/monotonic"
	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/network"
)

const (
	// maxHeldStream is how many bytes of a stream are held: a system call for more of them saves
	// little more.
	maxHeldStream = 32 << 10

	// minStreamRoom is how much memory the send queue must have left before bytes are held. Each
	// buffer of the kernel takes some beside its bytes.
	minStreamRoom = 2 * maxHeldStream

	// maxHeldDatagrams is how many bytes of datagrams are held. With the headers of IPv6 and UDP
	// they must fit the 16-bit length of a packet, which the kernel cuts into segments.
	maxHeldDatagrams = 1<<16 - 1 - 40 - 8

	// maxSegments is UDP_MAX_SEGMENTS of the kernels that have the fewest (linux/udp.h).
	maxSegments = 64

	// minDatagramRoom is minStreamRoom for datagrams.
	minDatagramRoom = 64 << 10
)

var _ sendbehind.Socket = (*socket)(nil)

type heldBuf [1 << 16]byte

var heldBufs = sync.Pool{New: func() any { return new(heldBuf) }}

// heldSends are sends that the guest was told of, and that the kernel has yet to be given. Streams
// hold bytes. Datagram sockets hold datagrams of one size to one address, of which the last may be
// shorter; the kernel cuts them out of one packet (udp(7), UDP_SEGMENT).
//
// mu protects all fields but the atomic one. It is held during the system calls of a flush, so that
// nothing overtakes the bytes.
type heldSends struct {
	mu sync.Mutex

	// count is how many sends are held, to be read without mu.
	count atomic.Int32

	// buf is nil while nothing is held. Its bytes up to length are held, and those from sent on
	// have yet to be given to the kernel.
	buf          *heldBuf
	sent, length int
	since        time.Duration
	ended        bool // by Close

	// to and segment are the address and the size of the datagrams. noMore tells that nothing can
	// be held beside: the last datagram was shorter, or the kernel had no room after all.
	to      netip.AddrPort
	segment int
	noMore  bool

	// segmentLimit is the size from which on the kernel has refused segments; 0 if none was.
	segmentLimit int

	// asked tells that able was asked of the kernel.
	asked, able bool
	// vec is a list of buffers that is not allocated.
	vec [1][]byte
}

// held returns the socket's heldSends if it holds any.
func (s *socket) held() *heldSends {
	if h := s.behind.Load(); h != nil && h.count.Load() > 0 {
		return h
	}
	return nil
}

// Hold implements sendbehind.Socket. The caller has sent to the same address just before, so the
// socket's state allows it.
func (s *socket) Hold(bufs [][]byte, to netip.AddrPort) sendbehind.Result {
	if h := s.held(); h != nil {
		// The descriptor is not used, so that it need not be acquired.
		if result := s.holdFurther(h, bufs, to); result != sendbehind.Refused {
			return result
		}
	}
	if s.family == network.Unix || !s.acquire() {
		return sendbehind.Refused
	}
	defer s.release()
	h := s.behind.Load()
	if h == nil {
		h = new(heldSends)
		if !s.behind.CompareAndSwap(nil, h) {
			h = s.behind.Load()
		}
	}
	if s.finishing.Load() {
		return sendbehind.Refused // finishHeld may have come before the first Hold
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	n := totalLen(bufs)
	if h.ended || h.count.Load() != 0 || n == 0 || n > maxHeldStream || !s.mayHold(h, n) {
		return sendbehind.Refused
	}
	h.buf, h.since = heldBufs.Get().(*heldBuf), monotonic.Now()
	h.sent, h.length, h.to, h.segment, h.noMore = 0, 0, to, n, false
	h.add(bufs)
	return sendbehind.First
}

// holdFurther holds a send beside others. It refuses one if none is held any more.
func (s *socket) holdFurther(h *heldSends, bufs [][]byte, to netip.AddrPort) sendbehind.Result {
	n := totalLen(bufs)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count.Load() == 0 || n == 0 || !s.fits(h, n, to) {
		return sendbehind.Refused
	}
	h.add(bufs)
	h.noMore = s.typ == network.Datagram && n < h.segment
	return sendbehind.Further
}

// add copies a send behind those that are held.
func (h *heldSends) add(bufs [][]byte) {
	for _, b := range bufs {
		h.length += copy(h.buf[h.length:], b)
	}
	h.count.Add(1)
}

// mayHold reports whether sends of n bytes can be held from now on. With TCP_NODELAY none is: the
// guest has asked that each goes at once. Without it the kernel holds bytes back itself while the
// peer has some to acknowledge (RFC 9293, section 3.7.4).
func (s *socket) mayHold(h *heldSends, n int) bool {
	if !h.asked {
		h.asked, h.able = true, s.ableToHold()
	}
	switch {
	case !h.able:
		return false
	case s.typ == network.Stream:
		return sendRoom(s.fd, s.typ) >= minStreamRoom
	case h.segmentLimit != 0 && n >= h.segmentLimit:
		return false
	}
	return sendRoom(s.fd, s.typ) >= minDatagramRoom
}

// ableToHold asks the kernel for the options that forbid it or that it needs.
func (s *socket) ableToHold() bool {
	if s.typ == network.Datagram {
		return hasSegments(s.fd)
	}
	o := options[network.NoDelay]
	n, err := getInt(s.fd, o.level, o.name)
	return err == nil && n == 0 && !unsentLimited(s.fd)
}

// noteHoldOption notes that an option of the socket has changed.
func (s *socket) noteHoldOption() {
	if h := s.behind.Load(); h != nil {
		h.mu.Lock()
		h.asked, h.segmentLimit = false, 0
		h.mu.Unlock()
	}
}

// fits reports whether a send can be held beside those that are.
func (s *socket) fits(h *heldSends, n int, to netip.AddrPort) bool {
	if s.typ == network.Stream {
		return !h.noMore && h.length+n <= maxHeldStream
	}
	return !h.noMore && to == h.to && n <= h.segment && h.length+n <= maxHeldDatagrams &&
		h.count.Load() < maxSegments
}

// HeldSince implements sendbehind.Socket.
func (s *socket) HeldSince() (at time.Duration, held bool) {
	h := s.held()
	if h == nil {
		return 0, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.since, h.count.Load() > 0
}

// Flush implements sendbehind.Socket.
func (s *socket) Flush() error {
	if s.held() == nil || !s.acquire() {
		return nil // Close has flushed
	}
	defer s.release()
	return s.flushFirst()
}

// flushFirst is Flush for a call that sends or ends, and that has acquired the socket.
func (s *socket) flushFirst() error {
	h := s.held()
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return s.flush(h)
}

// flush sends all that is held. The caller holds h.mu, and has acquired the socket.
func (s *socket) flush(h *heldSends) error {
	if h.buf == nil {
		return nil
	}
	var err error
	if s.typ == network.Stream {
		err = s.flushStream(h)
	} else {
		err = s.flushDatagrams(h)
	}
	if h.noMore = err == syscall.EAGAIN; !h.noMore {
		h.drop()
	}
	return err
}

func (h *heldSends) drop() {
	if h.buf != nil {
		heldBufs.Put(h.buf)
		h.buf = nil
	}
	h.count.Store(0)
}

func (s *socket) flushStream(h *heldSends) error {
	for h.sent < h.length {
		n, err := s.sendPart(h, h.length)
		if err != nil {
			return err
		}
		h.sent += n
	}
	return nil
}

// sendPart sends the bytes up to an offset, as Send does.
func (s *socket) sendPart(h *heldSends, end int) (int, error) {
	h.vec[0] = h.buf[h.sent:end]
	n, err := s.sendNow(h.vec[:], h.to)
	h.vec[0] = nil
	return n, err
}

// flushDatagrams sends the datagrams as segments of one packet, and each alone if the kernel
// refuses that. A packet that the kernel refuses because of an error of an earlier one, which
// icmp(7) reports, has not been sent, and neither has any of its segments.
func (s *socket) flushDatagrams(h *heldSends) error {
	var first error
	if h.sent == 0 && h.length > h.segment {
		err := sysSendSegments(s.fd, h.buf[:h.length], h.to, h.segment)
		switch {
		case err == nil || err == syscall.EAGAIN:
			return err
		case slices.Contains(segmentErrors[:], err):
			h.segmentLimit = h.segment
		default:
			first = s.sendError(err, h.to)
		}
	}
	for h.sent < h.length {
		end := min(h.sent+h.segment, h.length)
		_, err := s.sendPart(h, end)
		if err != nil && err != syscall.EAGAIN {
			if first == nil {
				first = err
			}
			_, err = s.sendPart(h, end) // the first attempt has cleared an asynchronous error
		}
		if err == syscall.EAGAIN {
			return err
		}
		h.sent = end
	}
	return first
}

// segmentErrors are those of a packet that cannot be cut: the segments are longer than the path's
// MTU, or the device has no checksums for them (net/ipv4/udp.c, udp_send_skb).
var segmentErrors = [...]error{syscall.EINVAL, syscall.EMSGSIZE, syscall.EIO, syscall.ENOPROTOOPT,
	syscall.EOPNOTSUPP}

// finishHeld is the last flush, before the socket closes.
// There was room for it. If the kernel has run out of memory for TCP meanwhile, it gets
// lastFlushWait, and then the connection is reset, so that the peer does not take the part for the
// whole.
func (s *socket) finishHeld() {
	s.finishing.Store(true)
	h := s.behind.Load()
	if h == nil || !s.acquire() {
		return
	}
	defer s.release()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for deadline := time.Now().Add(lastFlushWait); s.flush(h) == syscall.EAGAIN; {
		if time.Now().After(deadline) {
			h.drop()
			if s.typ == network.Stream {
				o := options[network.Linger]
				setLinger(s.fd, o.level, o.name, 0)
			}
			return
		}
		time.Sleep(time.Millisecond)
	}
}

const lastFlushWait = 50 * time.Millisecond
