package virtual

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	embedder "github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/network"
)

// outside is a socket of the gateway's network, which stands for a socket of a host there. Calls of
// it are made without a lock, since it is other code.
type outside struct {
	network.Socket
	// remote is the peer of a stream.
	remote netip.AddrPort
	// watch is that of the socket of the host.
	watch *watch

	mu sync.Mutex
	// watching holds the events that a goroutine waits for: the wanted one and always.
	watching [network.Writable + 1]bool

	// panicked is a panic of Wait on a goroutine of this package. The next Poll repeats it.
	panicked atomic.Pointer[embedder.Panic]
}

// openOutside makes a socket of the gateway's network with the options of s. Its buffers have the
// sizes that BufferLimits reports, since the host would let others grow beyond them.
func (s *base) openOutside(g network.Network) (*outside, error) {
	opened, err := g.Open(s.family, s.typ)
	if err != nil {
		return nil, err
	}
	o := &outside{Socket: opened, watch: &s.watch}
	for option := range network.Options {
		initial := optionSpecs[option].initialFor(s.typ)
		if s.has(option) && (s.value(option) != initial || isBuffer(option)) {
			o.setOption(s, option) // one that the gateway lacks has no effect
		}
	}
	return o, nil
}

func isBuffer(o network.Option) bool { return o == network.RecvBuffer || o == network.SendBuffer }

// setOption sets an option to the value that a socket of a host has.
func (o *outside) setOption(s *base, option network.Option) error {
	v := s.value(option)
	if isBuffer(option) {
		v = s.limit(option) / 2 // Linux doubles it again (socket(7))
	}
	return o.SetOption(option, v)
}

// connectOutside connects beyond the gateway. The state is already that of a connection under way.
func (s *tcpSocket) connectOutside(g network.Network, to netip.AddrPort) error {
	o, err := s.openOutside(g)
	if err != nil {
		s.useOutside(nil)
		return err
	}
	o.remote = to
	result := o.Connect(to)
	if result != nil && result != syscall.EINPROGRESS {
		o.Close()
		s.useOutside(nil)
		return result
	}
	if !s.useOutside(o) {
		o.Close()
		if s.closed.Load() {
			return net.ErrClosed
		}
		return syscall.ECONNABORTED
	}
	return result
}

// useOutside has every further call go to o, which has begun to connect. Nil makes the socket as it
// was before Connect. It reports false if the socket was closed or shut down meanwhile.
func (s *tcpSocket) useOutside(o *outside) bool {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case s.closed.Load():
		return false
	case o == nil:
		s.disconnect()
	case s.state != stateConnecting:
		return false
	default:
		s.outside.Store(o)
		s.rearm(o)
	}
	return true
}

// rearm lets the callers that wait for a socket wait for another one.
func (s *base) rearm(o *outside) {
	if s.watch.count.Load() > 0 {
		o.arm(network.Readable | network.Writable)
	}
	s.watch.wake(network.Readable | network.Writable | always)
}

// outsideResult takes the result of a connect. After a failure, the socket is as it was before.
func (s *tcpSocket) outsideResult(o *outside, err error) error {
	switch err {
	case nil, syscall.EALREADY, syscall.EINPROGRESS, syscall.EISCONN, net.ErrClosed:
		return err
	}
	if s.outside.CompareAndSwap(o, nil) {
		s.useOutside(nil)
	}
	o.Close()
	return err
}

func (o *outside) peerAddr() (netip.AddrPort, error) {
	if _, err := o.RemoteAddr(); err != nil {
		return netip.AddrPort{}, err
	}
	return o.remote, nil
}

func (o *outside) send(bufs [][]byte, to netip.AddrPort) (int, error) {
	n, err := o.Send(bufs, to)
	if err == syscall.EAGAIN {
		o.rearmWaiting(network.Writable)
	}
	return n, err
}

func (o *outside) recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	r, err := o.Recv(bufs, flags)
	if err == syscall.EAGAIN {
		o.rearmWaiting(network.Readable)
	} else if o.remote.IsValid() {
		r.From = o.remote
	}
	return r, err
}

// rearmWaiting waits for an event that has just been seen not to hold, if a caller still waits.
func (o *outside) rearmWaiting(e network.Events) {
	if o.watch.count.Load() > 0 {
		o.arm(e)
	}
}

// Poll panics on the goroutine of the caller if Wait has panicked on another one, so that the panic
// is that of the caller's guest.
func (o *outside) Poll(want network.Events) (network.Events, error) {
	if p := o.panicked.Load(); p != nil {
		panic(p)
	}
	return o.Socket.Poll(want)
}

// arm has a goroutine wait for each wanted event that none waits for yet, or for a failure if no
// event is wanted. It ends with the event, or with the socket.
func (o *outside) arm(want network.Events) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range [...]network.Events{0, network.Readable, network.Writable} {
		if (want&e != 0 || want == e) && !o.watching[e] {
			o.watching[e] = true
			go o.watchOnce(e)
		}
	}
}

func (o *outside) watchOnce(e network.Events) {
	defer func() { // also if Wait ends the goroutine
		o.mu.Lock()
		o.watching[e] = false
		o.mu.Unlock()
		o.watch.wake(e | always)
	}()
	// Each caller polls the socket when it is woken.
	embedder.Protect("World.Gateway", func() { o.Wait(e, time.Time{}) },
		func(p *embedder.Panic) { o.panicked.CompareAndSwap(nil, p) })
}

// sendOutside sends a datagram beyond the gateway.
func (s *udpSocket) sendOutside(bufs [][]byte, to netip.AddrPort) (int, error) {
	o := s.outside.Load()
	if o == nil {
		var err error
		if o, err = s.newOutside(); err != nil {
			return 0, err
		}
		if !s.outside.CompareAndSwap(nil, o) {
			o.Close()
			o = s.outside.Load()
		}
		if o == nil || s.closed.Load() {
			s.replaceOutside(nil)
			return 0, net.ErrClosed
		}
		s.rearm(o)
	}
	if to.IsValid() {
		to = s.present(to)
	}
	return o.send(bufs, to)
}

func (s *udpSocket) newOutside() (*outside, error) {
	g := s.host.gateway()
	if g == nil {
		return nil, syscall.ENETUNREACH
	}
	return s.openOutside(g)
}

// connectOutside sets the peer beyond the gateway.
func (s *udpSocket) connectOutside(to netip.AddrPort) error {
	o, err := s.newOutside()
	if err != nil {
		return err
	}
	if err := o.Connect(to); err != nil {
		o.Close()
		return err
	}
	s.replaceOutside(o)
	if s.closed.Load() {
		s.replaceOutside(nil)
		return net.ErrClosed
	}
	s.rearm(o)
	return nil
}

// replaceOutside closes the socket beyond the gateway, since its peer is no longer that of s.
func (s *udpSocket) replaceOutside(o *outside) {
	if old := s.outside.Swap(o); old != nil {
		old.Close()
	}
}
