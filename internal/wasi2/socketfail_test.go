package wasi2

import (
	"context"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// faultyNetwork is a network of sockets that fail where a test wants it.
type faultyNetwork struct {
	network.Network
	connect error
	// binds is the number of binds that succeed, if bind is an error. recvs is that of receives.
	binds, recvs     atomic.Int32
	bind, recv, send error
	// full says that no socket is writable.
	full bool
	// lookup, unless nil, replaces that of the Network.
	lookup func(ctx context.Context) ([]netip.Addr, error)
}

func (n *faultyNetwork) LookupAddrs(ctx context.Context, f network.Family,
	name string) ([]netip.Addr, error) {
	if n.lookup != nil {
		return n.lookup(ctx)
	}
	return n.Network.LookupAddrs(ctx, f, name)
}

func newFaultyNetwork() *faultyNetwork {
	return &faultyNetwork{Network: kernel.New(kernel.Config{})}
}

func (n *faultyNetwork) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, typ)
	return faultySocket{s, n}, err
}

type faultySocket struct {
	network.Socket
	of *faultyNetwork
}

func (s faultySocket) Connect(to netip.AddrPort) error {
	if s.of.connect != nil {
		return s.of.connect
	}
	return s.Socket.Connect(to)
}

func (s faultySocket) Bind(to netip.AddrPort) error {
	if s.of.bind != nil && s.of.binds.Add(-1) < 0 {
		return s.of.bind
	}
	return s.Socket.Bind(to)
}

func (s faultySocket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	if s.of.recv != nil && s.of.recvs.Add(-1) < 0 {
		return network.Received{}, s.of.recv
	}
	return s.Socket.Recv(bufs, flags)
}

func (s faultySocket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	if s.of.send != nil {
		return 0, s.of.send
	}
	return s.Socket.Send(bufs, to)
}

func (s faultySocket) Poll(want network.Events) (network.Events, error) {
	got, err := s.Socket.Poll(want)
	if s.of.full {
		got &^= network.Writable
	}
	return got, err
}

// TestConnectThatFailsAtOnce keeps a failure of the system for finish-connect. What says that the
// guest should try later is told at once, and leaves the socket as it is.
func TestConnectThatFailsAtOnce(t *testing.T) {
	for _, test := range []struct {
		err           error
		start, finish string
	}{
		{syscall.ENETUNREACH, "ok", "err(remote-unreachable)"},
		{syscall.EHOSTUNREACH, "ok", "err(remote-unreachable)"},
		{syscall.ETIMEDOUT, "ok", "err(timeout)"},
		{syscall.ECONNREFUSED, "ok", "err(connection-refused)"},
		{syscall.ECONNRESET, "ok", "err(connection-reset)"},
		{syscall.EADDRNOTAVAIL, "ok", "err(address-in-use)"},
		{syscall.EPERM, "ok", "err(access-denied)"},
		{syscall.EAGAIN, "err(would-block)", "err(not-in-progress)"},
	} {
		t.Run(test.err.Error(), func(t *testing.T) {
			base := newFaultyNetwork()
			base.connect = test.err
			c := newNetCallerOn(t, base, "allow connect any")
			s := c.handle(createTCP, 0)
			to := flatText("192.0.2.1:80")
			c.wants(test.start, tcpMethod+"start-connect", s, c.network, to)
			if got := c.isReady(tcpMethod+"subscribe", s); got != "true" {
				t.Errorf("got ready %s, want true", got)
			}
			c.wants(test.finish, tcpMethod+"finish-connect", s)
			base.connect = nil
			if test.start != "ok" {
				_, at := listener(t, families[0])
				c.wants(`ok`, tcpMethod+"start-connect", s, c.network, flat(at))
				return
			}
			c.wants(`err(invalid-state)`, tcpMethod+"start-connect", s, c.network, to)
			c.wants(`err(not-in-progress)`, tcpMethod+"finish-connect", s)
		})
	}
}

// TestUDPBindFails binds to addresses that are not there to be had.
func TestUDPBindFails(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, "allow listen any", "allow connect any")
		e := c.udpEnd(f, f.loopback)
		s := c.handle(createUDP, f.number)
		c.wants(`err(address-in-use)`, udpMethod+"start-bind", s, c.network, flat(e.at))
		elsewhere := map[string]string{"ipv4": "192.0.2.1:0", "ipv6": "[2001:db8::1]:0"}[f.name]
		c.wants(`err(address-not-bindable)`, udpMethod+"start-bind", s, c.network,
			flatText(elsewhere))
		c.wants(`ok`, udpMethod+"start-bind", s, c.network, flatText(f.loopback))
	})
}

// TestUDPAssociationCannotEnd associates a socket that cannot release its peer.
func TestUDPAssociationCannotEnd(t *testing.T) {
	f := families[0]
	c := newNetCallerOn(t, newFaultyNetwork(), anyLoopback...)
	e := c.udpEnd(f, f.loopback)
	e = c.associate(e, c.udpEnd(f, f.loopback).at)
	c.wants(`err(not-supported)`, udpMethod+"stream", e.socket, make([]uint64, 13))
	c.wants(`err(invalid-state)`, sending+"check-send", e.out)
}
