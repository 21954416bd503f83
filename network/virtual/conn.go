package virtual

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

// endpoint is a socket of either type.
type endpoint interface {
	network.Socket
	polled
}

// netConn is a net.Conn and a net.PacketConn over a socket.
type netConn struct {
	socket           endpoint
	network          string
	local, remote    net.Addr
	reading, writing direction
}

var (
	_ net.Conn       = (*netConn)(nil)
	_ net.PacketConn = (*netConn)(nil)
)

func newConn(s endpoint) *netConn {
	c := &netConn{socket: s, network: s.Type().String()}
	if a, err := s.LocalAddr(); err == nil {
		c.local = netAddr(s.Type(), a)
	}
	if a, err := s.RemoteAddr(); err == nil {
		c.remote = netAddr(s.Type(), a)
	}
	return c
}

// netAddr returns an address as package net has it, in which IPv4 is never mapped.
func netAddr(typ network.Type, a netip.AddrPort) net.Addr {
	if a = unmapped(a); typ == network.Datagram {
		return net.UDPAddrFromAddrPort(a)
	}
	return net.TCPAddrFromAddrPort(a)
}

// opError is the error of an operation, as package net has it.
func (c *netConn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: c.network, Source: c.local, Addr: c.remote, Err: err}
}

// direction is one direction of a connection. Calls of one direction come one after the other.
type direction struct {
	mu sync.Mutex
	// bufs is the argument of Send or Recv, which would be allocated if each call made it.
	bufs [1][]byte

	// deadline is the deadline, or nil.
	deadline atomic.Pointer[time.Time]
}

// waitFor waits for an event after a call that got EAGAIN. It returns early if a deadline changed
// since kicks was read.
func (c *netConn) waitFor(want network.Events, d *direction, kicks uint32) error {
	var end time.Time
	if t := d.deadline.Load(); t != nil {
		end = *t
	}
	_, err := wait(c.socket, want, end, kicks)
	return err
}

// check returns the error of a call after the deadline, which fails even a call that would not
// block (net.Conn), and the number of kicks before it looked.
func (c *netConn) check(d *direction) (kicks uint32, err error) {
	watch, world := c.socket.watched()
	kicks = watch.kicks.Load()
	if t := d.deadline.Load(); t != nil && !world.clock.Now().Before(*t) {
		return kicks, os.ErrDeadlineExceeded
	}
	return kicks, nil
}

func (c *netConn) recv(b []byte) (network.Received, error) {
	d := &c.reading
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bufs[0] = b
	defer func() { d.bufs[0] = nil }()
	for {
		kicks, err := c.check(d)
		if err != nil {
			return network.Received{}, err
		}
		r, err := c.socket.Recv(d.bufs[:], 0)
		if err != syscall.EAGAIN {
			return r, err
		}
		if err := c.waitFor(network.Readable, d, kicks); err != nil {
			return network.Received{}, err
		}
	}
}

// Read reads from a stream, or one datagram. The rest of a longer one is lost.
func (c *netConn) Read(b []byte) (int, error) {
	r, err := c.recv(b)
	if err == nil && r.N == 0 && len(b) > 0 && c.socket.Type() == network.Stream {
		err = io.EOF
	}
	return r.N, c.opError("read", err)
}

// Write writes all of b to a stream, or as one datagram.
func (c *netConn) Write(b []byte) (int, error) { return c.send(b, netip.AddrPort{}) }

func (c *netConn) send(b []byte, to netip.AddrPort) (n int, err error) {
	d := &c.writing
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() { d.bufs[0] = nil }()
	for {
		kicks, err := c.check(d)
		if err != nil {
			return n, c.opError("write", err)
		}
		d.bufs[0] = b[n:]
		k, err := c.socket.Send(d.bufs[:], to)
		switch n += k; {
		case err == nil && n == len(b):
			return n, nil
		case err == syscall.EAGAIN:
			err = c.waitFor(network.Writable, d, kicks)
		}
		if err != nil {
			return n, c.opError("write", err)
		}
	}
}

func (c *netConn) ReadFrom(b []byte) (int, net.Addr, error) {
	r, err := c.recv(b)
	if err != nil {
		return 0, nil, c.opError("read", err)
	}
	return r.N, netAddr(network.Datagram, r.From), nil
}

func (c *netConn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, c.opError("write", syscall.EINVAL)
	}
	dest := a.AddrPort()
	if c.socket.Family() == network.IPv4 {
		dest = unmapped(dest)
	}
	return c.send(b, dest)
}

// CloseRead ends the receiving direction, and CloseWrite the sending one.
func (c *netConn) CloseRead() error {
	return c.opError("close", c.socket.Shutdown(network.ShutRead))
}

func (c *netConn) CloseWrite() error {
	return c.opError("close", c.socket.Shutdown(network.ShutWrite))
}

// SetLinger has Close reset the connection if seconds is 0 (net.TCPConn).
func (c *netConn) SetLinger(seconds int) error {
	return c.opError("set", c.socket.SetOption(network.Linger, int64(max(seconds, -1))))
}

// SetReadBuffer sets the size of the receive buffer in bytes.
func (c *netConn) SetReadBuffer(bytes int) error {
	return c.opError("set", c.socket.SetOption(network.RecvBuffer, int64(bytes)))
}

func (c *netConn) Close() error         { return c.opError("close", c.socket.Close()) }
func (c *netConn) LocalAddr() net.Addr  { return c.local }
func (c *netConn) RemoteAddr() net.Addr { return c.remote }

func (c *netConn) SetDeadline(t time.Time) error {
	return c.setDeadline(t, &c.reading, &c.writing)
}

func (c *netConn) SetReadDeadline(t time.Time) error { return c.setDeadline(t, &c.reading) }

func (c *netConn) SetWriteDeadline(t time.Time) error { return c.setDeadline(t, &c.writing) }

// setDeadline sets the deadline of directions, of calls under way too. The zero Time is none.
func (c *netConn) setDeadline(t time.Time, of ...*direction) error {
	for _, d := range of {
		if t.IsZero() {
			d.deadline.Store(nil)
		} else {
			d.deadline.Store(&t)
		}
	}
	watch, _ := c.socket.watched()
	watch.kick()
	_, err := c.socket.Poll(0)
	return c.opError("set", err)
}

// listener is a net.Listener over a socket.
type listener struct{ *netConn }

var _ net.Listener = (*listener)(nil)

func (l *listener) Accept() (net.Conn, error) {
	for {
		kicks, err := l.check(&l.reading)
		if err != nil {
			return nil, l.opError("accept", err)
		}
		s, _, err := l.socket.Accept()
		switch err {
		case nil:
			return newConn(s.(endpoint)), nil
		case syscall.EAGAIN:
			err = l.waitFor(network.Readable, &l.reading, kicks)
		}
		if err != nil {
			return nil, l.opError("accept", err)
		}
	}
}

func (l *listener) Addr() net.Addr { return l.local }
