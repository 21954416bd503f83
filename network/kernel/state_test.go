package kernel

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

// stateTest is one socket whose state is compared after each step.
type stateTest struct {
	*testing.T
	s *socket
}

func newStateTest(t *testing.T, typ network.Type) stateTest {
	t.Helper()
	s, err := New(Config{}).Open(network.IPv4, typ)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return stateTest{t, s.(*socket)}
}

// want compares the state after a step that returned err.
func (t stateTest) want(step string, err, wantErr error, want connState) {
	t.Helper()
	if err != wantErr {
		t.Fatalf("%s: got %v, want %v", step, err, wantErr)
	}
	if got := t.s.state(); got != want {
		t.Fatalf("after %s: got state %v, want %v", step, got, want)
	}
}

func (t stateTest) waitWritable() {
	t.Helper()
	if _, err := t.s.Wait(network.Writable, time.Now().Add(10*time.Second)); err != nil {
		t.Fatal(err)
	}
}

var anyPort = netip.MustParseAddrPort("127.0.0.1:0")

// addrOfListener returns the address of a listener, closed or not.
func addrOfListener(t *testing.T, closed bool) netip.AddrPort {
	t.Helper()
	if closed {
		return testutil.ClosedPort(t, "127.0.0.1")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestStateOfConnectingStream(t *testing.T) {
	for _, bound := range []bool{false, true} {
		name, idle := "unbound", stateOpen
		if bound {
			name, idle = "bound", stateBound
		}
		t.Run(name, func(t *testing.T) {
			st := newStateTest(t, network.Stream)
			st.want("open", nil, nil, stateOpen)
			if bound {
				st.want("bind", st.s.Bind(anyPort), nil, stateBound)
			}
			refusing, accepting := addrOfListener(t, true), addrOfListener(t, false)
			st.want("connect", st.s.Connect(refusing), syscall.EINPROGRESS, stateConnecting)
			st.waitWritable()
			err := st.s.FinishConnect()
			got := st.s.state()
			if err != syscall.ECONNREFUSED || got != idle && got != stateBound {
				t.Fatalf("a refused connection: got %v and state %v, want %v and %v",
					err, got, syscall.ECONNREFUSED, idle)
			}

			st = newStateTest(t, network.Stream)
			if bound {
				st.want("bind", st.s.Bind(anyPort), nil, stateBound)
			}
			st.want("connect", st.s.Connect(accepting), syscall.EINPROGRESS, stateConnecting)
			st.waitWritable()
			st.want("finish connect", st.s.FinishConnect(), nil, stateConnected)
			st.want("connect again", st.s.Connect(accepting), syscall.EISCONN, stateConnected)
			st.want("shutdown", st.s.Shutdown(network.ShutBoth), nil, stateConnected)
			st.want("close", st.s.Close(), nil, stateClosed)
			st.want("bind", st.s.Bind(anyPort), net.ErrClosed, stateClosed)
		})
	}
}

func TestStateOfListener(t *testing.T) {
	l := newStateTest(t, network.Stream)
	l.want("bind", l.s.Bind(anyPort), nil, stateBound)
	l.want("listen", l.s.Listen(1), nil, stateListening)
	l.want("listen with another backlog", l.s.Listen(5), nil, stateListening)
	addr, err := l.s.LocalAddr()
	l.want("local address", err, nil, stateListening)

	c, err := net.Dial("tcp4", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := l.s.Wait(network.Readable, time.Now().Add(10*time.Second)); err != nil {
		t.Fatal(err)
	}
	accepted, _, err := l.s.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	stateTest{t, accepted.(*socket)}.want("accept", nil, nil, stateConnected)

	l.want("shutdown of sending", l.s.Shutdown(network.ShutWrite), nil, stateListening)
	l.want("shutdown", l.s.Shutdown(network.ShutRead), nil, stateBound)
	_, _, err = l.s.Accept()
	l.want("accept after shutdown", err, syscall.EINVAL, stateBound)
}

func TestStateOfDatagramSocket(t *testing.T) {
	d := newStateTest(t, network.Datagram)
	d.want("connect", d.s.Connect(netip.MustParseAddrPort("127.0.0.1:9")), nil, stateConnected)
	d.want("disconnect", d.s.Disconnect(), nil, d.s.unconnectedState())
	d = newStateTest(t, network.Datagram)
	d.want("bind", d.s.Bind(anyPort), nil, stateBound)
	d.want("connect", d.s.Connect(netip.MustParseAddrPort("127.0.0.1:9")), nil, stateConnected)
	local, err := d.s.LocalAddr()
	d.want("local address", err, nil, stateConnected)
	d.want("a second connect", d.s.Connect(local), nil, stateConnected)
	d.want("listen", d.s.Listen(1), syscall.EOPNOTSUPP, stateConnected)
	d.want("disconnect", d.s.Disconnect(), nil, d.s.unconnectedState())
	want, _ := sysGetsockname(d.s.fd) // Linux keeps the one address, Gramine has none to tell
	if got, err := d.s.LocalAddr(); want.IsValid() && got != want || err != nil {
		t.Errorf("got the local address %v, %v, want the kernel's %v", got, err, want)
	}
}

func TestStateOfAdoptedSocket(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, row := range []struct {
		name string
		from any
		want connState
	}{
		{"listener", l, stateListening},
		{"connection", c, stateConnected},
		{"packet connection", p, stateBound},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := Adopt(row.from.(syscall.Conn))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			stateTest{t, s.(*socket)}.want("adopt", nil, nil, row.want)
		})
	}
}

func TestPeerNameError(t *testing.T) {
	for err, want := range map[error]error{syscall.EINVAL: syscall.ENOTCONN,
		syscall.ENOTCONN: syscall.ENOTCONN, syscall.ENOBUFS: syscall.ENOBUFS} {
		if got := peerNameError(err); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}
