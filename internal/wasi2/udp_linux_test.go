package wasi2

import (
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
)

// releasingSocket can release its peer.
type releasingSocket struct{ faultySocket }

func (s releasingSocket) Disconnect() error {
	return s.Socket.(network.Disconnecter).Disconnect()
}

type releasingNetwork struct{ *faultyNetwork }

func (n releasingNetwork) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := n.faultyNetwork.Open(f, typ)
	return releasingSocket{s.(faultySocket)}, err
}

// TestUDPPortIsTaken ends an association while another socket takes the port that Linux released.
// The socket is unbound then.
func TestUDPPortIsTaken(t *testing.T) {
	f, none := families[0], make([]uint64, 13)
	base := newFaultyNetwork()
	base.bind = syscall.EADDRINUSE
	base.binds.Store(2)
	c := newNetCallerOn(t, releasingNetwork{base}, anyLoopback...)
	e, peer := c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback)
	e = c.associate(e, peer.at)
	c.wants(`err(address-in-use)`, udpMethod+"stream", e.socket, none)
	base.bind = nil
	c.wants(`err(invalid-state)`, udpMethod+"stream", e.socket, none)
	c.wants(`ok`, udpMethod+"start-bind", e.socket, c.network, flatText(f.loopback))
}
