package dial

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

// datagram is a datagram socket.
type datagram struct {
	socket
	// conn is set once the socket is bound.
	conn      net.PacketConn
	opening   bool
	writeShut bool
	readShut  bool

	// recv and send hold datagrams, and the sizes count their bytes and overhead.
	recv, send         []packet
	recvSize, sendSize int
	writing            bool
	// lingering closes the connection of a closed socket after lingerTimeout, if a datagram of the
	// queue is not sent by then.
	lingering *time.Timer
}

// packet is a datagram with its sender or destination.
type packet struct {
	bytes []byte
	at    netip.AddrPort
}

// packetOverhead is charged for a datagram besides its bytes.
const packetOverhead = 128

func (p packet) size() int { return len(p.bytes) + packetOverhead }

// The largest payloads of UDP (RFC 768, RFC 8200).
const (
	maxPayload4 = 65_507
	maxPayload6 = 65_527
)

var (
	_ network.Socket       = (*datagram)(nil)
	_ network.Disconnecter = (*datagram)(nil)
)

func newDatagram(n *Network, family network.Family) *datagram {
	s := &datagram{}
	s.init(n, family, network.Datagram)
	s.holds = s.events
	return s
}

func (s *datagram) events() (e network.Events) {
	if s.sendSize < queueSize(s.options.sendBuffer) {
		e |= network.Writable
	}
	if len(s.recv) > 0 || s.readShut {
		e |= network.Readable
	}
	if s.pending != 0 {
		e |= network.Readable | network.Failed
	}
	return e
}

func (s *datagram) Bind(to netip.AddrPort) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if err := checkAddr(s.family, to); err != nil {
		return err
	}
	if s.conn != nil || s.opening {
		return syscall.EINVAL
	}
	return s.open(to)
}

// open calls Config.ListenPacket, without mu, which is held before and afterwards.
func (s *datagram) open(to netip.AddrPort) error {
	s.opening = true
	s.mu.Unlock()
	locked := false
	defer func() {
		if !locked { // it panicked
			s.mu.Lock()
		}
		s.opening = false
	}()
	c, err := s.net.config.ListenPacket(networkName("udp", s.family), to.String())
	var local netip.AddrPort
	if err == nil {
		local = localOf(c.LocalAddr(), s.family)
	}
	s.mu.Lock()
	locked = true
	switch {
	case err != nil:
		return errnoOf(err, syscall.EADDRNOTAVAIL)
	case s.ended:
		go s.run(func() { c.Close() })
		return net.ErrClosed
	}
	s.conn, s.local = c, local
	go s.run(func() { s.read(c) })
	return nil
}

// ensureOpen binds the socket if it is not bound. mu is held.
func (s *datagram) ensureOpen() error {
	switch {
	case s.conn != nil:
		return nil
	case s.opening:
		return syscall.EAGAIN
	}
	return s.open(unspecified(s.family))
}

// maxReadErrors is the number of errors in a row after which a socket is not read any more.
const maxReadErrors = 16

// read receives datagrams. Those for which there is no room are lost.
func (s *datagram) read(c net.PacketConn) {
	b := make([]byte, 1<<16)
	for failures := 0; failures < maxReadErrors; {
		n, from, err := c.ReadFrom(b)
		if n < 0 || n > len(b) {
			panic(fmt.Errorf("ReadFrom returned %d of %d bytes", n, len(b)))
		}
		s.mu.Lock()
		if s.ended || s.readShut {
			s.mu.Unlock()
			return
		}
		if err != nil {
			failures++
			s.pending = errnoOf(err, syscall.EIO)
			s.wake()
			s.mu.Unlock()
			time.Sleep(time.Millisecond) // an error that persists must not take a processor
			continue
		}
		failures = 0
		p := packet{append([]byte(nil), b[:n]...), addrOf(from, s.family)}
		fits := s.recvSize+p.size() <= queueSize(s.options.recvBuffer)
		if p.at.IsValid() && fits && (!s.remote.IsValid() || p.at == s.remote) {
			s.recv, s.recvSize = append(s.recv, p), s.recvSize+p.size()
			s.wake()
		}
		s.mu.Unlock()
	}
}

func (s *datagram) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	n, most := totalLen(bufs), maxPayload4
	if s.family == network.IPv6 {
		most = maxPayload6
	}
	if !to.IsValid() {
		to = s.remote
	}
	switch {
	case s.writeShut:
		return 0, syscall.EPIPE
	case s.pending != 0:
		return 0, s.takePending()
	case !to.IsValid():
		return 0, syscall.EDESTADDRREQ
	case n > most:
		return 0, syscall.EMSGSIZE
	}
	if err := checkAddr(s.family, to); err != nil {
		return 0, err
	}
	if err := s.ensureOpen(); err != nil {
		return 0, err
	}
	if s.sendSize >= queueSize(s.options.sendBuffer) {
		return 0, syscall.EAGAIN
	}
	p := packet{make([]byte, 0, n), to}
	for _, b := range bufs {
		p.bytes = append(p.bytes, b...)
	}
	s.send, s.sendSize = append(s.send, p), s.sendSize+p.size()
	if !s.writing {
		s.writing = true
		go s.run(s.write)
	}
	return n, nil
}

// write sends the datagrams in the queue. It closes a closed socket.
func (s *datagram) write() {
	for {
		s.mu.Lock()
		if len(s.send) == 0 {
			s.writing = false
			lingering := s.lingering
			s.mu.Unlock()
			if lingering != nil && lingering.Stop() {
				s.conn.Close()
			}
			return
		}
		p := s.send[0]
		s.send = s.send[1:]
		s.mu.Unlock()
		_, err := s.conn.WriteTo(p.bytes, net.UDPAddrFromAddrPort(p.at))
		s.mu.Lock()
		s.sendSize -= p.size()
		if err != nil && !s.ended {
			s.pending = errnoOf(err, syscall.EIO)
		}
		s.wake()
		s.mu.Unlock()
	}
}

func (s *datagram) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if err := s.lock(); err != nil {
		return network.Received{}, err
	}
	defer s.mu.Unlock()
	switch {
	case s.pending != 0:
		return network.Received{}, s.takePending()
	case len(s.recv) == 0 && s.readShut:
		return network.Received{}, nil
	case len(s.recv) == 0:
		return network.Received{}, syscall.EAGAIN
	}
	p := s.recv[0]
	r := network.Received{From: p.at, Size: len(p.bytes)}
	for _, b := range bufs {
		r.N += copy(b, p.bytes[r.N:])
	}
	r.Truncated = r.N < r.Size
	if flags&network.Peek == 0 {
		s.recv, s.recvSize = s.recv[1:], s.recvSize-p.size()
	}
	return r, nil
}

// Connect sets the peer. Datagrams of others that are queued stay, as in Linux.
func (s *datagram) Connect(to netip.AddrPort) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if err := checkAddr(s.family, to); err != nil {
		return err
	}
	if err := s.ensureOpen(); err != nil {
		return err
	}
	s.remote, s.writeShut = to, false
	return nil
}

func (s *datagram) Disconnect() error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.remote = netip.AddrPort{}
	return nil
}

func (s *datagram) FinishConnect() error {
	_, err := s.RemoteAddr()
	return err
}

func (s *datagram) Shutdown(how network.How) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	switch {
	case how < network.ShutRead || how > network.ShutBoth:
		return syscall.EINVAL
	case !s.remote.IsValid():
		return syscall.ENOTCONN
	}
	s.readShut = s.readShut || how&network.ShutRead != 0
	s.writeShut = s.writeShut || how&network.ShutWrite != 0
	s.wake()
	return nil
}

func (s *datagram) Available() (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	if len(s.recv) == 0 {
		return 0, nil
	}
	return len(s.recv[0].bytes), nil
}

// Listen and Accept return EOPNOTSUPP.
func (s *datagram) Listen(int) error { return s.unsupported() }

func (s *datagram) Accept() (network.Socket, netip.AddrPort, error) {
	return nil, netip.AddrPort{}, s.unsupported()
}

func (s *datagram) Option(o network.Option) (int64, error) {
	return s.option(o, func() bool { return false })
}

func (s *datagram) SetOption(o network.Option, v int64) error { return s.setOption(o, v) }

// Unsent returns nil: a datagram that is queued is sent or lost.
func (s *datagram) Unsent() network.Unsent { return nil }

// Close sends the datagrams in the queue, for lingerTimeout at most.
func (s *datagram) Close() error {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.ended, s.recv = true, nil
	c, writing := s.conn, s.writing && s.panicked == nil
	if writing {
		s.lingering = time.AfterFunc(lingerTimeout, func() { s.run(func() { c.Close() }) })
	}
	s.wake()
	s.mu.Unlock()
	if c != nil && !writing {
		c.Close()
	}
	return nil
}
