package gonet

import (
	"net"
	"os"
	"syscall"
	"time"
)

// TCPConn is a TCP connection. It has the methods of net.TCPConn but File, MultipathTCP and those
// that copy from and to files.
type TCPConn struct{ *netFD }

var (
	_ net.Conn     = (*TCPConn)(nil)
	_ net.Listener = (*TCPListener)(nil)
)

// defaultKeepAlive is what package net uses for connections that say nothing else.
const defaultKeepAlive = 15 * time.Second

// newTCPConn takes over a connected socket, with the options that package net sets.
func newTCPConn(f *netFD, keepAlive time.Duration, config net.KeepAliveConfig) *TCPConn {
	c := &TCPConn{f}
	c.SetNoDelay(true)
	if !config.Enable && keepAlive >= 0 {
		config = net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive}
	}
	if config.Enable {
		c.SetKeepAliveConfig(config) // a host without the option has connections all the same
	}
	return c
}

// CloseRead shuts down the reading side, CloseWrite the writing side: the peer reads the end.
func (c *TCPConn) CloseRead() error { return c.shutdown(1) }

func (c *TCPConn) CloseWrite() error { return c.shutdown(2) }

func (c *TCPConn) shutdown(how int32) error {
	if err := c.control(func(fd int32) uint32 { return sockShutdown(fd, how) }); err != nil {
		return c.opError("close", os.NewSyscallError("shutdown", err))
	}
	return nil
}

// SetNoDelay turns Nagle's algorithm off or on.
func (c *TCPConn) SetNoDelay(noDelay bool) error {
	return c.setOption(func(fd int32) uint32 { return sockSetNoDelay(fd, number(noDelay)) })
}

// SetKeepAlive turns probes of idle connections on or off.
func (c *TCPConn) SetKeepAlive(on bool) error {
	return c.setOption(func(fd int32) uint32 { return sockSetKeepAlive(fd, number(on)) })
}

// SetKeepAlivePeriod sets how long a connection is idle before a probe is sent, and the time
// between probes.
func (c *TCPConn) SetKeepAlivePeriod(d time.Duration) error {
	return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: d, Interval: d, Count: -1})
}

// SetKeepAliveConfig configures the probes, as documented at net.KeepAliveConfig.
func (c *TCPConn) SetKeepAliveConfig(config net.KeepAliveConfig) error {
	if err := c.SetKeepAlive(config.Enable); err != nil || !config.Enable {
		return err
	}
	for _, o := range []struct {
		value time.Duration
		set   func(fd, seconds int32) uint32
	}{{config.Idle, sockSetKeepIdle}, {config.Interval, sockSetKeepInterval}} {
		if o.value == 0 {
			o.value = defaultKeepAlive
		}
		if o.value < 0 {
			continue
		}
		seconds := int32((o.value + time.Second - 1) / time.Second)
		if err := c.setOption(func(fd int32) uint32 { return o.set(fd, seconds) }); err != nil {
			return err
		}
	}
	count := config.Count
	if count == 0 {
		count = 9 // as in package net
	}
	if count < 0 {
		return nil
	}
	return c.setOption(func(fd int32) uint32 {
		return sockSetOption(fd, optionKeepCount,
			int64(count))
	})
}

// SetLinger sets what Close does with data that has not been sent: less than 0 seconds goes on
// sending in the background, 0 throws it away and resets the connection.
func (c *TCPConn) SetLinger(seconds int) error {
	return c.setOption(func(fd int32) uint32 {
		if seconds < 0 {
			return sockSetLinger(fd, 0, 0)
		}
		return sockSetLinger(fd, 1, int32(seconds))
	})
}

func number(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

// TCPListener is a TCP listener.
type TCPListener struct {
	fd        *netFD
	keepAlive time.Duration
	config    net.KeepAliveConfig
}

// Accept waits for the next connection, which is a *TCPConn.
func (l *TCPListener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP waits for the next connection.
func (l *TCPListener) AcceptTCP() (*TCPConn, error) {
	var accepted int32
	err := l.fd.waitRead(func(fd int32) uint32 { return sockAccept(fd, flagNonblock, &accepted) })
	if err != nil {
		return nil, l.fd.opError("accept", err)
	}
	f, err := newFD(l.fd.network, accepted)
	if err != nil {
		return nil, l.fd.opError("accept", err)
	}
	f.setAddrs()
	return newTCPConn(f, l.keepAlive, l.config), nil
}

// Close stops listening. Connections that were accepted go on.
func (l *TCPListener) Close() error { return l.fd.Close() }

// Addr is the address that the listener is bound to.
func (l *TCPListener) Addr() net.Addr { return l.fd.local }

// SetDeadline sets the time after which Accept fails. The zero time means never.
func (l *TCPListener) SetDeadline(t time.Time) error { return l.fd.SetDeadline(t) }

// SyscallConn gives access to the descriptor.
func (l *TCPListener) SyscallConn() (syscall.RawConn, error) { return l.fd.SyscallConn() }
