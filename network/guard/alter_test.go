package guard_test

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// In these tests a guest makes each call that would change an adopted socket for its owner.

// optionsOf returns all options of a socket of the host.
func optionsOf(t *testing.T, s network.Socket) map[network.Option]int64 {
	t.Helper()
	all := make(map[network.Option]int64)
	for o := range network.Options {
		if o == network.PendingError || o == network.QuickAck { // which change by themselves
			continue
		}
		if v, err := s.Option(o); err == nil {
			all[o] = v
		}
	}
	if len(all) < 10 {
		t.Fatalf("got %d readable options, want at least 10", len(all))
	}
	return all
}

// setAllOptions sets each option to another value that it accepts.
func setAllOptions(t *testing.T, s network.Socket, own network.Socket) {
	t.Helper()
	for o, was := range optionsOf(t, own) {
		if _, err := s.Option(o); err != nil {
			t.Errorf("option %d: got %v, want a value", o, err)
		}
		if err := s.SetOption(o, was); err != nil {
			t.Errorf("option %d set to its value: got %v, want no error", o, err)
		}
		for _, v := range []int64{0, 1, 2, 7, 100, 1000, 1 << 20} {
			if err := s.SetOption(o, v); err == nil && v != was {
				t.Errorf("option %d set from %d to %d: got no error, want EACCES", o, was, v)
			}
		}
	}
}

func expectOptions(t *testing.T, own network.Socket, was map[network.Option]int64) {
	t.Helper()
	for o, v := range optionsOf(t, own) {
		if v != was[o] {
			t.Errorf("option %d: got %[3]d, want %[2]d as before", o, was[o], v)
		}
	}
}

func TestAdoptedListenerKeepsOptions(t *testing.T) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	own, err := kernel.Adopt(l)
	must(t, err)
	t.Cleanup(func() { own.Close() })
	must(t, own.SetOption(network.Linger, 5))
	was := optionsOf(t, own)

	n, s := adopted(t, l, testutil.Policy(t, "allow listen any", "allow connect any"))
	for how := network.ShutRead; how <= network.ShutBoth; how++ {
		wantErr(t, "shutdown", s.Shutdown(how), syscall.EACCES)
	}
	for _, backlog := range []int{0, 1, -1} {
		wantErr(t, "listen again", s.Listen(backlog), nil)
	}
	wantErr(t, "connect", s.Connect(at("127.0.0.1:9")), syscall.EISCONN)
	wantErr(t, "bind", s.Bind(here), syscall.EINVAL)
	setAllOptions(t, s, own)
	expectOptions(t, own, was)

	// As many wait as before: the backlog is the host's.
	there := l.Addr().(*net.TCPAddr).AddrPort()
	for range 8 {
		c, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(there))
		must(t, err)
		t.Cleanup(func() { c.Close() })
	}
	if accept(t, s, time.Now().Add(testTimeout)) == nil {
		t.Error("got no connection for the guest, want one")
	}
	must(t, s.Close())
	expectOptions(t, own, was)
	l.SetDeadline(time.Now().Add(testTimeout))
	for range 7 {
		c, err := l.Accept()
		if err != nil {
			t.Fatal("the host: got ", err, ", want a connection")
		}
		c.Close()
	}
	if got := n.Counters().OpenSockets; got != 1 { // the connection
		t.Errorf("got %d open sockets, want 1", got)
	}
}

func TestAdoptedDatagramSocketKeepsOptions(t *testing.T) {
	group := netip.MustParseAddr("239.1.2.3")
	on := network.Interface{Addr: netip.MustParseAddr("127.0.0.1")}
	allowed := []string{"allow listen any", "allow connect any", "allow join any"}
	host, hostAt := udpSocket(t, "0.0.0.0:0")
	friend, friendAt := udpSocket(t, "127.0.0.1:0")
	own, err := kernel.Adopt(host)
	must(t, err)
	t.Cleanup(func() { own.Close() })
	must(t, own.Join(group, on))
	was := optionsOf(t, own)

	_, s := adopted(t, host, testutil.Policy(t, allowed...))
	for how := network.ShutRead; how <= network.ShutBoth; how++ {
		wantErr(t, "shutdown", s.Shutdown(how), syscall.EACCES)
	}
	wantErr(t, "connect", s.Connect(friendAt), syscall.EACCES)
	wantErr(t, "bind", s.Bind(here), syscall.EINVAL)
	setAllOptions(t, s, own)
	expectOptions(t, own, was)
	wantErr(t, "leave what the host has joined", s.Leave(group, on), syscall.EADDRNOTAVAIL)
	wantErr(t, "join what the host has joined", s.Join(group, on), syscall.EADDRINUSE)
	must(t, s.Close())
	expectOptions(t, own, was)

	friend.WriteToUDPAddrPort([]byte("to one"), netip.AddrPortFrom(friendAt.Addr(), hostAt.Port()))
	expectDatagram(t, host, "to one")
	out := open(t, kernel.New(kernel.Config{}), network.IPv4, network.Datagram)
	must(t, out.SetOption(network.MulticastInterface4, 0x7f000001))
	send(t, out, "to all", netip.AddrPortFrom(group, hostAt.Port()))
	expectDatagram(t, host, "to all")
}

// TestAdoptedConnectedSocketKeepsOptions adopts a connected datagram socket.
func TestAdoptedConnectedSocketKeepsOptions(t *testing.T) {
	peer, peerAt := udpSocket(t, "127.0.0.1:0")
	_, otherAt := udpSocket(t, "127.0.0.1:0")
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(peerAt))
	must(t, err)
	defer c.Close()
	_, s := adopted(t, c, testutil.Policy(t, "allow connect any"))
	for how := network.ShutRead; how <= network.ShutBoth; how++ {
		wantErr(t, "shutdown", s.Shutdown(how), syscall.EACCES)
	}
	wantErr(t, "connect elsewhere", s.Connect(otherAt), syscall.EACCES)
	wantErr(t, "connect to where it is", s.Connect(peerAt), nil)
	send(t, s, "guest", nobody)
	expectDatagram(t, peer, "guest")
	must(t, s.Close())
	_, err = c.Write([]byte("host"))
	must(t, err)
	expectDatagram(t, peer, "host")
}

// TestAdoptedStreamBelongsToGuest adopts the connection of a stream, which ends when the guest ends
// it.
func TestAdoptedStreamBelongsToGuest(t *testing.T) {
	there, said := listener(t, "127.0.0.1:0")
	c, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(there))
	must(t, err)
	defer c.Close()
	_, s := adopted(t, c, nil)
	must(t, s.SetOption(network.NoDelay, 0))
	must(t, s.Shutdown(network.ShutWrite))
	if got := <-said; got != "" {
		t.Errorf("got %q, want the end of the stream", got)
	}
}
