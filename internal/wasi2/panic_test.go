package wasi2

import (
	"io"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// panickingNetwork is a network of sockets that panic in the methods that a test names.
type panickingNetwork struct {
	network.Network
	method string
}

func (n *panickingNetwork) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, typ)
	return panickingSocket{s, n}, err
}

type panickingSocket struct {
	network.Socket
	of *panickingNetwork
}

func (s panickingSocket) Close() error {
	s.in("Close")
	return s.Socket.Close()
}

func (s panickingSocket) Shutdown(how network.How) error {
	s.in("Shutdown")
	return s.Socket.Shutdown(how)
}

func (s panickingSocket) in(method string) {
	if s.of.method == method {
		panic(method)
	}
}

// wantPanic compares the panic that has ended the guest.
func (c *netCaller) wantPanic(in, value string) {
	c.Helper()
	p, _ := c.Err().(*outside.Panic)
	if p == nil || p.In != in || p.Value != value {
		c.Errorf("got the end %v, want a panic %s in %s", c.Err(), value, in)
	}
}

// TestDropPanics has a network panic as a socket is closed, since the guest dropped it.
func TestDropPanics(t *testing.T) {
	base := &panickingNetwork{kernel.New(kernel.Config{}), "Close"}
	c := newNetCallerOn(t, base, anyLoopback...)
	if err := c.drop("sockets/tcp.tcp-socket", c.handle(createTCP, 0)); err == nil {
		t.Error("got no error of the drop, want the panic")
	}
	c.wantPanic("wasi:sockets/tcp.[resource-drop]tcp-socket", "Close")
}

// TestShutdownAfterWritePanics has a network panic as a connection is shut down, which the host
// does on a goroutine of its own once it has sent what is pending.
func TestShutdownAfterWritePanics(t *testing.T) {
	base := &panickingNetwork{Network: kernel.New(kernel.Config{})}
	c := newNetCallerOn(t, base, anyLoopback...)
	l, at := listener(t, families[0])
	client := c.handle(createTCP, 0)
	c.wants(`ok`, tcpMethod+"start-connect", client, c.network, flat(at))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c.block(tcpMethod+"subscribe", client)
	out := c.handles(tcpMethod+"finish-connect", client)[1]
	data := strings.Repeat("x", 65_536)
	for c.call(outStream+"check-write", out) != "ok(0)" {
		c.wants(`ok`, outStream+"write", out, data)
	}
	base.method = "Shutdown"
	c.wants(`ok`, tcpMethod+"shutdown", client, 1)
	go io.Copy(io.Discard, conn)
	<-c.Thread.Guest.Context().Done()
	c.wantPanic("a write", "Shutdown")
}
