package guard_test

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
)

// In these tests a guest tries each way around a rule. The destination that no rule allows is a
// real socket on loopback, which must not receive a byte.

func TestSendToElsewhereWhileConnected(t *testing.T) {
	friend, friendAt := udpSocket(t, "127.0.0.1:0")
	enemy, enemyAt := udpSocket(t, "127.0.0.1:0")
	n := guarded(t, "allow connect udp://"+friendAt.String())
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.Connect(friendAt))
	send(t, s, "one", nobody)
	_, err := s.Send([][]byte{[]byte("x")}, enemyAt)
	wantErr(t, "sendto on a connected socket", err, syscall.EACCES)
	wantErr(t, "connect anew", s.Connect(enemyAt), syscall.EACCES)
	send(t, s, "two", nobody)
	send(t, s, "three", friendAt)
	for _, text := range []string{"one", "two", "three"} {
		expectDatagram(t, friend, text)
	}
	expectNothing(t, enemy)
}

func TestSendToOnUnconnectedSocket(t *testing.T) {
	enemy, enemyAt := udpSocket(t, "127.0.0.1:0")
	n := guarded(t, "allow connect udp://*", "allow listen udp://127.0.0.1 from 127.0.0.9",
		"allow resolve *", "allow join multicast")
	for _, to := range []string{
		enemyAt.String(),
		netip.AddrPortFrom(netip.IPv4Unspecified(), enemyAt.Port()).String(),
	} {
		s := open(t, n, network.IPv4, network.Datagram)
		_, err := s.Send([][]byte{[]byte("x")}, at(to))
		wantErr(t, "sendto "+to, err, syscall.EACCES)
		wantErr(t, "connect "+to, s.Connect(at(to)), syscall.EACCES)
		_, err = s.Send([][]byte{[]byte("x")}, nobody)
		wantErr(t, "send after a refused connect", err, syscall.EDESTADDRREQ)
		s = open(t, n, network.IPv4, network.Datagram)
		must(t, s.Bind(here)) // from a port where it may listen it may send no more
		_, err = s.Send([][]byte{[]byte("x")}, at(to))
		wantErr(t, "sendto from a listening port", err, syscall.EACCES)
	}
	six, err := n.Open(network.IPv6, network.Datagram)
	must(t, err)
	defer six.Close()
	for _, to := range []string{"[::ffff:127.0.0.1]", "[::ffff:0.0.0.0]", "[::]", "[::1]"} {
		a := netip.AddrPortFrom(netip.MustParseAddr(strings.Trim(to, "[]")), enemyAt.Port())
		_, err := six.Send([][]byte{[]byte("x")}, a)
		wantErr(t, "sendto "+a.String(), err, syscall.EACCES)
	}
	expectNothing(t, enemy)
}

// TestSendAfterSetPolicy connects and sends while a rule allows it, and sends again without the
// rule.
func TestSendAfterSetPolicy(t *testing.T) {
	peer, peerAt := udpSocket(t, "127.0.0.1:0")
	n := guarded(t, "allow connect udp://127.0.0.1")
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.Connect(peerAt))
	send(t, s, "one", nobody)
	from := expectDatagram(t, peer, "one")
	peer.WriteToUDPAddrPort([]byte("answer"), from)
	if text, _ := receive(t, s); text != "answer" {
		t.Errorf("got %q, want %q", text, "answer")
	}

	n.SetPolicy(testutil.Policy(t, "allow connect udp://127.0.0.2"))
	for _, to := range []netip.AddrPort{nobody, peerAt} {
		_, err := s.Send([][]byte{[]byte("x")}, to)
		wantErr(t, "send after the change", err, syscall.EACCES)
	}
	expectNothing(t, peer)
	peer.WriteToUDPAddrPort([]byte("answer"), from)
	_, err := s.Recv([][]byte{make([]byte, 64)}, 0)
	wantErr(t, "receive after the change", err, syscall.EAGAIN)

	n.SetPolicy(testutil.Policy(t, "allow connect udp://127.0.0.1"))
	send(t, s, "two", nobody)
	expectDatagram(t, peer, "two")
}

func TestBindTwice(t *testing.T) {
	n := guarded(t, "allow connect *", "allow listen 127.0.0.1:0")
	for _, typ := range []network.Type{network.Stream, network.Datagram} {
		s := open(t, n, network.IPv4, typ)
		wantErr(t, "bind to a port of one's own", s.Bind(at("127.0.0.1:7")), syscall.EACCES)
		must(t, s.Bind(here))
		first := local(t, s)
		wantErr(t, "bind again", s.Bind(here), syscall.EINVAL)
		wantErr(t, "bind elsewhere", s.Bind(at("0.0.0.0:7")), syscall.EINVAL)
		wantErr(t, "bind to another address", s.Bind(at("127.0.0.2:0")), syscall.EINVAL)
		if got := local(t, s); got != first {
			t.Errorf("got the address %[2]v, want %[1]v as before", first, got)
		}
	}
}

// TestListenUnbound listens without bind(2), and after a connect(2) that bound the socket.
func TestListenUnbound(t *testing.T) {
	n := guarded(t, "allow connect loopback", "allow listen tcp://127.0.0.1:0")
	s := open(t, n, network.IPv4, network.Stream)
	wantErr(t, "listen without bind", s.Listen(1), syscall.EACCES)
	must(t, s.Bind(at("0.0.0.0:0"))) // as a client does
	wantErr(t, "listen on every address", s.Listen(1), syscall.EACCES)

	s = open(t, n, network.IPv4, network.Stream)
	must(t, s.Bind(here))
	must(t, s.Listen(1))

	n = guarded(t, "allow connect loopback", "allow listen tcp://0.0.0.0:0",
		"deny listen tcp://127.0.0.1")
	s = open(t, n, network.IPv4, network.Stream)
	wantErr(t, "listen on every address", s.Listen(1), syscall.EACCES)
}

// TestFailedConnectThenListen lets a connect(2) that fails bind the socket.
func TestFailedConnectThenListen(t *testing.T) {
	friendAt, _ := listener(t, "127.0.0.1:0")
	closed := testutil.ClosedPort(t, "127.0.0.1")
	n := guarded(t, "allow connect loopback", "allow listen tcp://127.0.0.2:0")
	s := open(t, n, network.IPv4, network.Stream)
	wantErr(t, "connect", connect(t, s, closed), syscall.ECONNREFUSED)
	wantErr(t, "listen", s.Listen(1), syscall.EACCES)
	err := connect(t, s, friendAt)
	if err == syscall.ECONNABORTED { // the failure of the first connect, if still unread
		err = connect(t, s, friendAt)
	}
	must(t, err)
}

// TestAcceptClosesDeniedPeer accepts a connection from one address and not from another.
func TestAcceptClosesDeniedPeer(t *testing.T) {
	n := guarded(t, "allow listen tcp://127.0.0.1 from 127.0.0.1")
	s := open(t, n, network.IPv4, network.Stream)
	must(t, s.Bind(here))
	must(t, s.Listen(8))
	dial := func(from string) net.Conn {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: testTimeout}
		c, err := d.Dial("tcp", local(t, s).String())
		if err != nil {
			t.Skip("not on this host: ", err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(testTimeout))
		return c
	}
	stranger := dial("127.0.0.2")
	if c := accept(t, s, time.Now().Add(10*time.Millisecond)); c != nil {
		t.Error("got a connection of a stranger, want none")
	}
	if b, err := io.ReadAll(stranger); len(b) > 0 || err != nil {
		t.Errorf("the stranger: got %q, %v, want the end of the stream", b, err)
	}
	stranger = dial("127.0.0.2")
	friend := dial("127.0.0.1")
	c := accept(t, s, time.Now().Add(testTimeout))
	if c == nil {
		t.Fatal("got no connection, want one")
	}
	if from, err := c.RemoteAddr(); err != nil || from.String() != friend.LocalAddr().String() {
		t.Errorf("got a connection from %v, %v, want one of the friend", from, err)
	}
	if b, err := io.ReadAll(stranger); len(b) > 0 || err != nil {
		t.Errorf("the stranger: got %q, %v, want the end of the stream", b, err)
	}
	if got := n.Counters().DroppedConnections; got != 2 {
		t.Errorf("got %d dropped connections, want 2", got)
	}
}

// TestRecvBehindManyDeniedSenders queues more datagrams of denied senders than one call drops, and
// one of an admitted sender behind them.
func TestRecvBehindManyDeniedSenders(t *testing.T) {
	n := guarded(t, "allow listen udp://127.0.0.1 from 127.0.0.1")
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.Bind(here))
	stranger, friend := sender(t, "127.0.0.2"), sender(t, "127.0.0.1")
	for range 100 {
		send(t, stranger, "secret", local(t, s))
	}
	send(t, friend, "hello", local(t, s))
	if n, err := s.Available(); n != 0 || err != nil {
		t.Errorf("got %d bytes available, %v, want none of strangers", n, err)
	}
	if text, from := receive(t, s); text != "hello" || from != local(t, friend) {
		t.Errorf("got %q from %v, want the friend's datagram", text, from)
	}
	if got := n.Counters().DroppedDatagrams; got != 100 {
		t.Errorf("got %d dropped datagrams, want 100", got)
	}
}

// TestRecvDropsDeniedSender sends to a socket that only sends itself.
func TestRecvDropsDeniedSender(t *testing.T) {
	for name, prepare := range map[string]func(network.Socket, netip.AddrPort) error{
		"unbound": func(network.Socket, netip.AddrPort) error { return nil },
		"bound": func(s network.Socket,
			_ netip.AddrPort) error {
			return s.Bind(at("0.0.0.0:0"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			peer, peerAt := udpSocket(t, "127.0.0.1:0")
			stranger, _ := udpSocket(t, "127.0.0.1:0")
			n := guarded(t, "allow connect udp://"+peerAt.String())
			s := open(t, n, network.IPv4, network.Datagram)
			must(t, prepare(s, peerAt))
			send(t, s, "question", peerAt)
			from := expectDatagram(t, peer, "question")
			stranger.WriteToUDPAddrPort([]byte("lie"), from)
			peer.WriteToUDPAddrPort([]byte("answer"), from)
			if text, _ := receive(t, s); text != "answer" {
				t.Errorf("got %q, want %q", text, "answer")
			}
			// connect(2) leaves earlier datagrams in the queue. They are judged by their sender
			// although the socket is connected.
			stranger.WriteToUDPAddrPort([]byte("lie"), from)
			must(t, s.Connect(peerAt))
			_, err := s.Recv([][]byte{make([]byte, 64)}, 0)
			wantErr(t, "receive what came before the connect", err, syscall.EAGAIN)
		})
	}
}

func TestMulticastNeedsJoin(t *testing.T) {
	n := guarded(t, "allow connect multicast", "allow listen any", "allow connect *",
		"allow join udp://239.1.2.3")
	s := open(t, n, network.IPv4, network.Datagram)
	on := network.Interface{Addr: netip.MustParseAddr("127.0.0.1")}
	for _, group := range []string{"239.1.2.4", "224.0.0.251", "::ffff:239.1.2.4", "127.0.0.1"} {
		wantErr(t, "join "+group, s.Join(netip.MustParseAddr(group), on), syscall.EACCES)
	}
	must(t, s.Join(netip.MustParseAddr("239.1.2.3"), on))
	n.SetPolicy(nil)
	must(t, s.Leave(netip.MustParseAddr("239.1.2.3"), on))
	wantErr(t, "join after the change", s.Join(netip.MustParseAddr("239.1.2.3"), on),
		syscall.EACCES)

	six, err := n.Open(network.IPv6, network.Datagram)
	must(t, err)
	defer six.Close()
	wantErr(t, "join an IPv6 group", six.Join(netip.MustParseAddr("ff02::fb"), network.Interface{}),
		syscall.EACCES)
}

// TestRecvOfGroupJoinedByOtherProgram joins a group with another program of the host. A guest must
// not receive from the group for that reason (ip(7), IP_MULTICAST_ALL).
func TestRecvOfGroupJoinedByOtherProgram(t *testing.T) {
	n := guarded(t, "allow listen any", "allow connect any", "allow join 239.1.2.4")
	group := netip.MustParseAddr("239.1.2.3")
	on := network.Interface{Addr: netip.MustParseAddr("127.0.0.1")}
	for family, unspecified := range map[network.Family]string{network.IPv4: "0.0.0.0:0",
		network.IPv6: "[::]:0"} {
		t.Run(family.String(), func(t *testing.T) {
			if family == network.IPv4 {
				needs.NotWine(t)
			}
			s, err := n.Open(family, network.Datagram)
			if err != nil {
				t.Skip("not on this host: ", err)
			}
			defer s.Close()
			must(t, s.Bind(at(unspecified)))
			must(t, open(t, guarded(t, "allow join any", "allow connect loopback"), network.IPv4,
				network.Datagram).Join(group, on))
			out := open(t, n, network.IPv4, network.Datagram)
			must(t, out.SetOption(network.MulticastInterface4, 0x7f000001))
			send(t, out, "to all", netip.AddrPortFrom(group, local(t, s).Port()))
			_, err = s.Recv([][]byte{make([]byte, 64)}, 0)
			wantErr(t, "receive", err, syscall.EAGAIN)
		})
	}
}

func TestBroadcast(t *testing.T) {
	n := guarded(t, "allow connect *", "allow connect private", "allow connect multicast",
		"allow connect loopback")
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.SetOption(network.Broadcast, 1))
	_, err := s.Send([][]byte{[]byte("x")}, at("255.255.255.255:9"))
	wantErr(t, "broadcast", err, syscall.EACCES)
	wantErr(t, "connect to broadcast", s.Connect(at("255.255.255.255:9")), syscall.EACCES)
}

// TestFastOpenNeedsConnectRule sets TCP_FASTOPEN_CONNECT (tcp(7)), with which the first bytes go
// with the connect. The connect is judged.
func TestFastOpenNeedsConnectRule(t *testing.T) {
	friendAt, friendHeard := listener(t, "127.0.0.1:0")
	enemyAt, enemyHeard := listener(t, "127.0.0.1:0")
	n := guarded(t, "allow connect tcp://"+friendAt.String())
	s := open(t, n, network.IPv4, network.Stream)
	if err := s.SetOption(network.FastOpenConnect, 1); err != nil {
		t.Skip("not on this host: ", err)
	}
	wantErr(t, "connect", s.Connect(enemyAt), syscall.EACCES)
	if _, err := s.Send([][]byte{[]byte("x")}, enemyAt); err == nil {
		t.Error("got a send without a connection, want an error")
	}
	must(t, connect(t, s, friendAt))
	send(t, s, "hello", enemyAt) // on a stream the address means nothing
	if got := <-friendHeard; got != "hello" {
		t.Errorf("the friend: got %q, want %q", got, "hello")
	}
	select {
	case got := <-enemyHeard:
		t.Errorf("the enemy: got %q, want nothing", got)
	default:
	}
}

// TestConnectWhileConnecting connects to a second address while a connection to the first is under
// way.
func TestConnectWhileConnecting(t *testing.T) {
	friendAt, _ := listener(t, "127.0.0.1:0")
	enemyAt, enemyHeard := listener(t, "127.0.0.1:0")
	n := guarded(t, "allow connect tcp://"+friendAt.String())
	s := open(t, n, network.IPv4, network.Stream)
	if err := s.Connect(friendAt); err != nil && err != syscall.EINPROGRESS {
		t.Fatal(err)
	}
	wantErr(t, "connect elsewhere meanwhile", s.Connect(enemyAt), syscall.EACCES)
	if _, err := s.Wait(network.Writable, time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	must(t, s.FinishConnect())
	wantErr(t, "connect elsewhere", s.Connect(enemyAt), syscall.EISCONN)
	if peer, err := s.RemoteAddr(); err != nil || peer != friendAt {
		t.Errorf("got the peer %v, %v, want the friend", peer, err)
	}
	select {
	case <-enemyHeard:
		t.Error("got a connection to the enemy, want none")
	default:
	}
}

// TestConnectionOutlivesSetPolicy replaces the policy under an established connection.
func TestConnectionOutlivesSetPolicy(t *testing.T) {
	friendAt, friendHeard := listener(t, "127.0.0.1:0")
	n := guarded(t, "allow connect tcp://"+friendAt.String())
	s := open(t, n, network.IPv4, network.Stream)
	must(t, connect(t, s, friendAt))
	n.SetPolicy(nil)
	send(t, s, "hello", nobody)
	if got := <-friendHeard; got != "hello" {
		t.Errorf("the friend: got %q, want %q", got, "hello")
	}
	wantErr(t, "another connect", open(t, n, network.IPv4, network.Stream).Connect(friendAt),
		syscall.EACCES)
}

// hookedNet is a Network that calls a function just before a socket asks the kernel for a
// connection or a datagram.
type hookedNet struct {
	network.Network
	before func()
}

type hookedSocket struct {
	network.Socket
	*hookedNet
}

func (l *hookedNet) Open(f network.Family, t network.Type) (network.Socket, error) {
	s, err := l.Network.Open(f, t)
	return &hookedSocket{s, l}, err
}

func (s *hookedSocket) Accept() (network.Socket, netip.AddrPort, error) {
	s.before()
	return s.Socket.Accept()
}

func (s *hookedSocket) Recv(bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	s.before()
	return s.Socket.Recv(bufs, flags)
}

// TestSetPolicyDuringAcceptAndRecv replaces the policy while the guest is in accept(2) or recv(2).
// A peer that arrives afterwards is judged by the new policy.
func TestSetPolicyDuringAcceptAndRecv(t *testing.T) {
	for _, shared := range []bool{false, true} {
		base := &hookedNet{Network: kernel.New(kernel.Config{})}
		n := guard.New(base, testutil.Policy(t, "allow listen tcp://127.0.0.1",
			"allow listen udp://127.0.0.1"), guard.Options{Shared: shared})
		stream, packets := open(t, n, network.IPv4, network.Stream), open(t, n, network.IPv4,
			network.Datagram)
		must(t, stream.Bind(here))
		must(t, packets.Bind(here))
		must(t, stream.Listen(8))
		peer := open(t, kernel.New(kernel.Config{}), network.IPv4, network.Stream)
		must(t, connect(t, peer, local(t, stream)))
		send(t, sender(t, "127.0.0.1"), "x", local(t, packets))
		for _, s := range []network.Socket{stream, packets} { // both have something waiting
			_, err := s.Wait(network.Readable, time.Now().Add(testTimeout))
			must(t, err)
		}
		base.before = func() { n.SetPolicy(nil) }
		_, _, err := stream.Accept()
		wantErr(t, "accept", err, syscall.EAGAIN)
		n.SetPolicy(testutil.Policy(t, "allow listen udp://127.0.0.1"))
		_, err = packets.Recv([][]byte{make([]byte, 8)}, 0)
		wantErr(t, "receive", err, syscall.EAGAIN)
	}
}

// TestConcurrentAddressChanges changes the address of a socket in two threads at once. The policy
// then denies one of the two addresses.
func TestConcurrentAddressChanges(t *testing.T) {
	friend, friendAt := udpSocket(t, "127.0.0.1:0")
	enemy, enemyAt := udpSocket(t, "127.0.0.1:0")
	n := guarded(t)
	for range 300 {
		n.SetPolicy(testutil.Policy(t, "allow connect loopback"))
		s := open(t, n, network.IPv4, network.Datagram)
		var both sync.WaitGroup
		both.Go(func() { s.Connect(friendAt) })
		both.Go(func() { s.Connect(enemyAt) })
		both.Wait()
		n.SetPolicy(testutil.Policy(t, "allow connect udp://"+friendAt.String()))
		peer, err := s.RemoteAddr()
		must(t, err)
		_, err = s.Send([][]byte{[]byte("x")}, nobody)
		switch peer {
		case friendAt:
			must(t, err)
			expectDatagram(t, friend, "x")
		case enemyAt:
			wantErr(t, "send to where it may not", err, syscall.EACCES)
		}
		s.Close()
	}
	expectNothing(t, enemy)
	expectNothing(t, friend)

	n.SetPolicy(testutil.Policy(t, "allow listen tcp://127.0.0.1 from 127.0.0.9",
		"allow listen tcp://0.0.0.0:0"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	free := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	for range 300 {
		s := open(t, n, network.IPv4, network.Stream)
		var both sync.WaitGroup
		both.Go(func() { s.Bind(free) })
		both.Go(func() { s.Listen(1) })
		both.Wait()
		// listen(2) alone may choose the same port, of every address, which the policy allows.
		if local(t, s) == free {
			s.Listen(1)
			c, err := net.Dial("tcp", free.String())
			must(t, err)
			if in := accept(t, s, time.Now().Add(time.Millisecond)); in != nil {
				t.Fatal("got a connection of a stranger, want none")
			}
			c.Close()
		}
		s.Close()
	}
}

func TestEmptyPolicyAllowsNothing(t *testing.T) {
	for name, n := range map[string]*guard.Network{
		"nil":   guard.New(kernel.New(kernel.Config{}), nil, guard.Options{}),
		"empty": guarded(t),
	} {
		t.Run(name, func(t *testing.T) {
			enemyAt, _ := listener(t, "127.0.0.1:0")
			s := open(t, n, network.IPv4, network.Stream)
			wantErr(t, "connect", s.Connect(enemyAt), syscall.EACCES)
			wantErr(t, "bind", s.Bind(here), syscall.EACCES)
			wantErr(t, "bind as a client", s.Bind(at("0.0.0.0:0")), syscall.EACCES)
			wantErr(t, "listen", s.Listen(1), syscall.EACCES)
			_, err := n.LookupAddrs(t.Context(), network.AnyFamily, "localhost")
			wantErr(t, "lookup", err, syscall.EACCES)
			if all, err := n.HostAddrs(); len(all) > 0 || err != nil {
				t.Errorf("got the addresses %v, %v, want none", all, err)
			}
		})
	}
}
