package wasi2

import (
	"syscall"
	"testing"
)

// TestUDPSendFails has the system refuse a datagram.
func TestUDPSendFails(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{syscall.EAGAIN, "ok(0)"},
		{syscall.ENETUNREACH, "err(remote-unreachable)"},
		{syscall.EHOSTUNREACH, "err(remote-unreachable)"},
		{syscall.ECONNREFUSED, "err(connection-refused)"},
		{syscall.EMSGSIZE, "err(datagram-too-large)"},
		{syscall.ENOBUFS, "err(out-of-memory)"},
		{syscall.EADDRNOTAVAIL, "err(address-not-bindable)"},
		{syscall.EPERM, "err(access-denied)"},
		{syscall.EIO, "err(unknown)"},
	} {
		t.Run(test.err.Error(), func(t *testing.T) {
			eachFamily(t, func(t *testing.T, f family) {
				base := newFaultyNetwork()
				c := newNetCallerOn(t, base, anyLoopback...)
				e := c.udpEnd(f, f.loopback)
				base.send = test.err
				c.sends(test.want, e, "x", e.at)
				base.send = nil
				c.sends("ok(1)", e, "x", e.at)
			})
		})
	}
}

// TestUDPSendWithoutRoom sends while the system has no room. The stream permits nothing until it
// has.
func TestUDPSendWithoutRoom(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		base := newFaultyNetwork()
		c := newNetCallerOn(t, base, anyLoopback...)
		e := c.udpEnd(f, f.loopback)
		base.send, base.full = syscall.EAGAIN, true
		c.sends(`ok(0)`, e, "x", e.at)
		c.wants(`ok(0)`, sending+"check-send", e.out)
		if got := c.isReady(sending+"subscribe", e.out); got != "false" {
			t.Errorf("got ready %s without room, want false", got)
		}
		ptr, n := c.datagrams("x", e.at)
		c.traps("wasi:"+sending+"send: the stream permits 0 datagrams, and 1 are sent",
			sending+"send", e.out, ptr, n)
		base.send, base.full = nil, false
		if got := c.isReady(sending+"subscribe", e.out); got != "true" {
			t.Errorf("got ready %s with room, want true", got)
		}
		c.wants(`ok(16)`, sending+"check-send", e.out)
		c.sends(`ok(1)`, e, "x", e.at)
	})
}

// TestUDPErrorAfterDatagrams has an error come after two datagrams. The next call gets it, once.
func TestUDPErrorAfterDatagrams(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		base := newFaultyNetwork()
		c := newNetCallerOn(t, base, anyLoopback...)
		e := c.udpEnd(f, f.loopback)
		c.sends(`ok(2)`, e, "one", e.at, "two", e.at)
		c.block(receiving+"subscribe", e.in)
		base.recv = syscall.ECONNREFUSED
		base.recvs.Store(2)
		c.wants(received("one", e.at, "two", e.at), receiving+"receive", e.in, 16)
		base.recv = nil
		if got := c.isReady(receiving+"subscribe", e.in); got != "true" {
			t.Errorf("got ready %s before the error, want true", got)
		}
		c.wants(`err(connection-refused)`, receiving+"receive", e.in, 16)
		c.wants(`ok([])`, receiving+"receive", e.in, 16)
	})
}

// TestUDPAssociationFails has the system refuse a peer, which may be a group. The socket is then
// without a peer, and can have another.
func TestUDPAssociationFails(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{syscall.ENETUNREACH, "err(remote-unreachable)"},
		{syscall.EADDRNOTAVAIL, "err(address-in-use)"}, // no port is left
		{syscall.ECONNREFUSED, "err(connection-refused)"},
		{syscall.EAFNOSUPPORT, "err(not-supported)"},
	} {
		t.Run(test.err.Error(), func(t *testing.T) {
			eachFamily(t, func(t *testing.T, f family) {
				base := newFaultyNetwork()
				c := newNetCallerOn(t, base, append(anyLoopback,
					"allow connect udp://"+f.multicast)...)
				e, peer := c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback)
				base.connect = test.err
				c.wants(test.want, udpMethod+"stream", e.socket, 1, flatText(f.multicast))
				c.refused()
				c.wants(`err(invalid-state)`, udpMethod+"remote-address", e.socket)
				base.connect = nil
				c.associate(e, peer.at)
				c.wants(`ok(`+shown(peer.at)+`)`, udpMethod+"remote-address", e.socket)
			})
		})
	}
}
