package integration_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/dial"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/network/virtual"
	"github.com/wasport/wasport/policy"
)

// countedNetwork is the host's network with a hook before each call of a method. It notes the
// sockets of the host's.
type countedNetwork struct {
	network.Network
	hook   func(method string)
	opened *[]network.Socket
}

func (n countedNetwork) Open(f network.Family, typ network.Type) (network.Socket, error) {
	n.hook("Open")
	s, err := n.Network.Open(f, typ)
	return n.wrap(s), err
}

func (n countedNetwork) wrap(s network.Socket) network.Socket {
	if s == nil {
		return nil
	}
	*n.opened = append(*n.opened, s)
	return &countedSocket{s, n}
}

// countedSocket is a socket of countedNetwork. It has the optional methods of the kernel's.
type countedSocket struct {
	s network.Socket
	n countedNetwork
}

func (c *countedSocket) Family() network.Family { c.n.hook("Family"); return c.s.Family() }
func (c *countedSocket) Type() network.Type     { c.n.hook("Type"); return c.s.Type() }
func (c *countedSocket) Poll(want network.Events) (network.Events, error) {
	c.n.hook("Poll")
	return c.s.Poll(want)
}
func (c *countedSocket) Available() (int, error) {
	c.n.hook("Available")
	return c.s.Available()
}
func (c *countedSocket) Bind(a netip.AddrPort) error {
	c.n.hook("Bind")
	return c.s.Bind(a)
}
func (c *countedSocket) Listen(backlog int) error {
	c.n.hook("Listen")
	return c.s.Listen(backlog)
}
func (c *countedSocket) Connect(a netip.AddrPort) error {
	c.n.hook("Connect")
	return c.s.Connect(a)
}
func (c *countedSocket) FinishConnect() error {
	c.n.hook("Finish")
	return c.s.FinishConnect()
}
func (c *countedSocket) Shutdown(how network.How) error {
	c.n.hook("Shutdown")
	return c.s.Shutdown(how)
}
func (c *countedSocket) Close() error {
	c.n.hook("Close")
	return c.s.Close()
}
func (c *countedSocket) Readiness() network.Readiness {
	c.n.hook("Readiness")
	return network.Readiness{Notify: c.notify}
}
func (c *countedSocket) LocalAddr() (netip.AddrPort, error) {
	c.n.hook("LocalAddr")
	return c.s.LocalAddr()
}
func (c *countedSocket) RemoteAddr() (netip.AddrPort, error) {
	c.n.hook("RemoteAddr")
	return c.s.RemoteAddr()
}
func (c *countedSocket) Accept() (network.Socket, netip.AddrPort, error) {
	c.n.hook("Accept")
	s, from, err := c.s.Accept()
	return c.n.wrap(s), from, err
}
func (c *countedSocket) Send(bufs [][]byte, to netip.AddrPort) (int, error) {
	c.n.hook("Send")
	return c.s.Send(bufs, to)
}
func (c *countedSocket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	c.n.hook("Recv")
	return c.s.Recv(bufs, flags)
}
func (c *countedSocket) Option(o network.Option) (int64, error) {
	c.n.hook("Option")
	return c.s.Option(o)
}
func (c *countedSocket) SetOption(o network.Option, v int64) error {
	c.n.hook("SetOption")
	return c.s.SetOption(o, v)
}
func (c *countedSocket) Join(group netip.Addr, on network.Interface) error {
	c.n.hook("Join")
	return c.s.Join(group, on)
}
func (c *countedSocket) Leave(group netip.Addr, on network.Interface) error {
	c.n.hook("Leave")
	return c.s.Leave(group, on)
}
func (c *countedSocket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	c.n.hook("Wait")
	return c.s.Wait(want, deadline)
}

// notify waits on a goroutine of its own.
func (c *countedSocket) notify(want network.Events, wake func()) (stop func()) {
	c.n.hook("Notify")
	go func() {
		c.s.Wait(want, time.Time{})
		wake()
	}()
	return func() { c.n.hook("stop") }
}

var _ network.Buffered = (*countedSocket)(nil)

func (c *countedSocket) BufferLimits() (recv, send int64, err error) {
	c.n.hook("BufferLimits")
	return c.s.(network.Buffered).BufferLimits()
}

func (c *countedSocket) Unsent() network.Unsent {
	c.n.hook("Unsent")
	return &countedUnsent{c.n, 2}
}

// countedUnsent is the data of a closed socket, which the host has sent after so many calls.
type countedUnsent struct {
	n    countedNetwork
	left int64
}

func (u *countedUnsent) End()         { u.n.hook("End") }
func (u *countedUnsent) Close() error { u.n.hook("Unsent.Close"); return nil }
func (u *countedUnsent) Reset() error { u.n.hook("Unsent.Reset"); return nil }
func (u *countedUnsent) Memory() (int64, error) {
	u.n.hook("Unsent.Memory")
	u.left--
	return max(u.left, 0), nil
}

// TestPanicInEachCallOfNetwork has a network panic in the first call that a guest makes of it, in
// the second call of another guest, and so on to the last.
func TestPanicInEachCallOfNetwork(t *testing.T) {
	allowed := testutil.Policy(t, "allow connect tcp://127.0.0.1:1-65535")
	limited := policy.New(allowed.Rules(), policy.Limits{
		SendBytesPerSecond: 1 << 30, RecvBytesPerSecond: 1 << 30, Sockets: 100,
	})
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for conn, err := echo.Accept(); err == nil; conn, err = echo.Accept() {
			go func() { defer conn.Close(); io.Copy(conn, conn) }()
		}
	}()
	port := fmt.Sprint(echo.Addr().(*net.TCPAddr).Port)
	seen := make(map[string]bool)
	for _, args := range [][]string{
		{"tcp_client", "127.0.0.1", port, "hello"},
		{"nonblock_connect", "127.0.0.1", port},
		{"options", "4"},
	} {
		m := compileGuest(t, args[0])
		for name, p := range map[string]*policy.Policy{"": allowed, " limited": limited} {
			t.Run(args[0]+name, func(t *testing.T) {
				panicInEachCall(t, m, seen, wasport.Config{Args: args, Policy: p})
			})
		}
	}
	components := map[string]*policy.Policy{"component": allowed, "component limited": limited}
	for name, p := range components {
		t.Run(name, func(t *testing.T) {
			panicInEachCall(t, compileComponent(t, "tcp_client"), seen, wasport.Config{
				Args: []string{"tcp_client", "127.0.0.1", port, "hello"}, Policy: p})
		})
	}
	for _, method := range []string{"Open", "Connect", "Send", "Recv", "Close", "Option", "Poll",
		"Unsent", "Unsent.Memory", "Unsent.Close"} {
		if !seen[method] {
			t.Errorf("got panics in %v, want one in %s", slices.Sorted(maps.Keys(seen)), method)
		}
	}
}

// panicInEachCall runs guests until one makes all of its calls. It notes the methods that panicked.
// A goroutine that waits for a notification may panic when the guest has just ended well. Then the
// same call is tried again.
func panicInEachCall(t *testing.T, m *wasport.Module, seen map[string]bool, c wasport.Config) {
	late := 0
	for k := int64(1); ; k++ {
		var calls atomic.Int64
		var panicked atomic.Pointer[string]
		var opened []network.Socket
		c.Network = countedNetwork{kernel.New(kernel.Config{}), func(method string) {
			if calls.Add(1) == k {
				panicked.Store(&method)
				panic(method)
			}
		}, &opened}
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		_, err := m.Run(ctx, c)
		cancel()
		// A panic in Close leaves the host's socket open, and a goroutine of notify waiting for it.
		for _, s := range opened {
			s.Close()
		}
		method := panicked.Load()
		if method == nil {
			if err != nil {
				t.Errorf("got %v without a panic, want no error", err)
			}
			return
		}
		if err == nil && *method == "Wait" && late < 10 {
			late++
			k--
			continue
		}
		seen[*method] = true
		var p *wasport.HostPanic
		if !errors.As(err, &p) || p.Value != *method {
			t.Fatalf("call %d, of %s: got %v, want a HostPanic with its name", k, *method, err)
		}
	}
}

// TestPanicInFunctionOfDial has functions of package dial panic, and connections that they made,
// also beyond the gateway of a world, where goroutines of package virtual wait for them.
func TestPanicInFunctionOfDial(t *testing.T) {
	m := compileGuest(t, "tcp_client")
	allowed := testutil.Policy(t, "allow connect tcp://192.0.2.1:80")
	direct := func(n network.Network) network.Network { return n }
	for _, kind := range panicKinds {
		for _, test := range []struct {
			name, in string
			f        dial.DialFunc
			place    func(network.Network) network.Network
		}{
			{"DialContext", "Config.Network", panickingDial(kind.do), direct},
			{"Read", "Config.Network", panickingRead(t, kind.do), direct},
			{"DialContext beyond a gateway", "Config.Network", panickingDial(kind.do),
				beyondGateway},
			{"Read beyond a gateway", "Config.Network", panickingRead(t, kind.do), beyondGateway},
			{"Wait beyond a gateway", "World.Gateway", neverDials,
				func(n network.Network) network.Network {
					return beyondGateway(panickingWait{n, kind.do})
				}},
		} {
			t.Run(test.name+" "+kind.name, func(t *testing.T) {
				_, err := m.Run(context.Background(), wasport.Config{
					Args:    []string{"tcp_client", "192.0.2.1", "80", "hello"},
					Policy:  allowed,
					Network: test.place(dial.New(dial.Config{DialContext: test.f})),
				})
				checkHostPanic(t, err, test.in, kind)
			})
		}
	}
}

// beyondGateway returns a host whose world has a gateway to a network.
func beyondGateway(n network.Network) network.Network {
	w := virtual.New()
	w.Gateway(n)
	h, _ := w.Host("inside")
	return h
}

func panickingDial(do func()) dial.DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		do()
		return nil, nil
	}
}

func panickingRead(t *testing.T, do func()) dial.DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() }) // ends the rest of what the guest sends
		return panickingConn{near, do}, nil
	}
}

func neverDials(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// panickingWait is a network whose sockets panic when they are waited for.
type panickingWait struct {
	network.Network
	do func()
}

func (n panickingWait) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, typ)
	return panickingWaitSocket{s, n.do}, err
}

type panickingWaitSocket struct {
	network.Socket
	do func()
}

func (s panickingWaitSocket) Wait(network.Events, time.Time) (network.Events, error) {
	s.do()
	return 0, nil
}

// panickingConn panics when it is read from.
type panickingConn struct {
	net.Conn
	do func()
}

func (c panickingConn) Read([]byte) (int, error) { c.do(); return 0, io.EOF }
