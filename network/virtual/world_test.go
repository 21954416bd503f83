package virtual_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/virtual"
)

func open(t testing.TB, h *virtual.Host, family network.Family, typ network.Type) network.Socket {
	t.Helper()
	s, err := h.Open(family, typ)
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// bind returns a socket that is bound.
func bind(t testing.TB, h *virtual.Host, typ network.Type, at string) network.Socket {
	t.Helper()
	a := netip.MustParseAddrPort(at)
	family := network.IPv4
	if a.Addr().Is6() {
		family = network.IPv6
	}
	s := open(t, h, family, typ)
	check(t, s.Bind(a))
	return s
}

func listen(t testing.TB, h *virtual.Host, at string, backlog int) network.Socket {
	t.Helper()
	s := bind(t, h, network.Stream, at)
	check(t, s.Listen(backlog))
	return s
}

// dial starts a connection. FinishConnect has its result.
func dial(t testing.TB, h *virtual.Host, to string) network.Socket {
	t.Helper()
	a := netip.MustParseAddrPort(to)
	family := network.IPv4
	if a.Addr().Is6() {
		family = network.IPv6
	}
	s := open(t, h, family, network.Stream)
	if err := s.Connect(a); err != syscall.EINPROGRESS {
		t.Fatalf("connect: got %v, want EINPROGRESS", err)
	}
	return s
}

func wantErr(t testing.TB, call string, err, want error) {
	t.Helper()
	if err != want {
		t.Errorf("%s: got %v, want %v", call, err, want)
	}
}

var none netip.AddrPort

func one(b []byte) [][]byte { return [][]byte{b} }

func send(t testing.TB, s network.Socket, text, to string) {
	t.Helper()
	a := none
	if to != "" {
		a = netip.MustParseAddrPort(to)
	}
	_, err := s.Send(one([]byte(text)), a)
	check(t, err)
}

// expect receives the data in the queue, "" for none.
func expect(t testing.TB, s network.Socket, want string) {
	t.Helper()
	b := make([]byte, 64)
	r, err := s.Recv(one(b), 0)
	if err == syscall.EAGAIN && want == "" {
		return
	}
	if string(b[:r.N]) != want || err != nil {
		t.Errorf("got %q, %v; want %q", b[:r.N], err, want)
	}
}

func TestLoopbackIsEachHostsOwn(t *testing.T) {
	h := hosts(t, "a", "b")
	for _, at := range []string{"127.0.0.1:7", "[::1]:7", "127.9.9.9:7"} {
		l := listen(t, h[0], at, 1)
		check(t, dial(t, h[0], at).FinishConnect())
		wantErr(t, "from the other host", dial(t, h[1], at).FinishConnect(), syscall.ECONNREFUSED)
		check(t, l.Close())
	}
	listen(t, h[1], "127.0.0.1:7", 1)
	wantErr(t, "not on the link", dial(t, h[0], "10.0.0.2:7").FinishConnect(),
		syscall.ECONNREFUSED)
}

func TestBacklog(t *testing.T) {
	h := hosts(t, "server", "client")
	l := listen(t, h[0], "0.0.0.0:7", 1)
	var clients []network.Socket
	for range 5 {
		clients = append(clients, dial(t, h[1], "10.0.0.1:7"))
	}
	// One more than the backlog waits (listen(2)); the others are under way, in their order.
	for i, c := range clients {
		want := error(nil)
		if i >= 2 {
			want = syscall.EALREADY
		}
		wantErr(t, "finish connect", c.FinishConnect(), want)
	}
	_, from, err := l.Accept()
	check(t, err)
	if local, _ := clients[0].LocalAddr(); from != local {
		t.Errorf("got %v accepted, want the first, %v", from, local)
	}
	wantErr(t, "finish connect", clients[2].FinishConnect(), nil)
	wantErr(t, "finish connect", clients[3].FinishConnect(), syscall.EALREADY)
	check(t, clients[3].Close()) // leaves the queue
	check(t, l.Listen(8))
	wantErr(t, "finish connect", clients[4].FinishConnect(), nil)
	waiting := dial(t, h[1], "10.0.0.1:7")
	check(t, l.Close())
	for _, c := range []network.Socket{clients[1], waiting} {
		if v, err := c.Option(network.PendingError); syscall.Errno(v) != syscall.ECONNRESET {
			t.Errorf("not accepted: got error %d, %v; want ECONNRESET", v, err)
		}
	}
}

func TestPortsAreShared(t *testing.T) {
	h := hosts(t, "a")[0]
	reuse := func(o network.Option, typ network.Type, at string) (network.Socket, error) {
		s := open(t, h, network.IPv4, typ)
		check(t, s.SetOption(o, 1))
		return s, s.Bind(netip.MustParseAddrPort(at))
	}
	// An address and every address overlap; two addresses do not.
	bind(t, h, network.Stream, "127.0.0.1:7")
	bind(t, h, network.Stream, "127.0.0.2:7")
	_, err := reuse(network.ReuseAddr, network.Stream, "0.0.0.0:7")
	wantErr(t, "every address", err, syscall.EADDRINUSE)
	// A dual-stack socket takes the port of both families.
	bind(t, h, network.Stream, "[::]:8")
	_, err = reuse(network.ReuseAddr, network.Stream, "127.0.0.1:8")
	wantErr(t, "under a dual-stack socket", err, syscall.EADDRINUSE)

	// SO_REUSEADDR shares among sockets that do not listen.
	first, err := reuse(network.ReuseAddr, network.Stream, "0.0.0.0:9")
	check(t, err)
	second, err := reuse(network.ReuseAddr, network.Stream, "0.0.0.0:9")
	check(t, err)
	check(t, first.Listen(1))
	wantErr(t, "a second listener", second.Listen(1), syscall.EADDRINUSE)

	// SO_REUSEPORT distributes connections.
	for range 2 {
		s, err := reuse(network.ReusePort, network.Stream, "0.0.0.0:10")
		check(t, err)
		check(t, s.Listen(0))
		defer func() {
			if _, _, err := s.Accept(); err != nil {
				t.Errorf("accept: got %v, want one of the connections", err)
			}
		}()
	}
	for range 2 {
		dial(t, h, "127.0.0.1:10")
	}

	// The latest of several datagram sockets receives.
	_, err = reuse(network.ReuseAddr, network.Datagram, "127.0.0.1:7")
	check(t, err)
	latest, err := reuse(network.ReuseAddr, network.Datagram, "127.0.0.1:7")
	check(t, err)
	send(t, open(t, h, network.IPv4, network.Datagram), "to the latest", "127.0.0.1:7")
	expect(t, latest, "to the latest")

	// Of those that share for multicast alone, the first does.
	var shared []network.Socket
	for range 2 {
		s := open(t, h, network.IPv4, network.Datagram)
		check(t, s.(network.Sharer).BindShared(netip.MustParseAddrPort("0.0.0.0:11")))
		shared = append(shared, s)
	}
	send(t, open(t, h, network.IPv4, network.Datagram), "to the first", "127.0.0.1:11")
	expect(t, shared[0], "to the first")
	expect(t, shared[1], "")
}

func TestEphemeralPortsRunOut(t *testing.T) {
	h := hosts(t, "a")[0]
	const all = 60999 - 32768 + 1
	seen := make(map[uint16]bool)
	for range all {
		s := bind(t, h, network.Datagram, "127.0.0.1:0")
		a, err := s.LocalAddr()
		check(t, err)
		if a.Port() < 32768 || a.Port() > 60999 || seen[a.Port()] {
			t.Fatalf("got port %d, want a new one from 32768 to 60999", a.Port())
		}
		seen[a.Port()] = true
	}
	s := open(t, h, network.IPv4, network.Datagram)
	wantErr(t, "bind", s.Bind(netip.MustParseAddrPort("127.0.0.1:0")), syscall.EADDRINUSE)
	_, err := s.Send(one(nil), netip.MustParseAddrPort("127.0.0.1:9"))
	wantErr(t, "send", err, syscall.EAGAIN)
	bind(t, h, network.Stream, "127.0.0.1:0") // which has ports of its own
}

func TestMulticastAmongHosts(t *testing.T) {
	h := hosts(t, "a", "b", "c")
	for _, row := range []struct{ group, any string }{
		{"239.1.2.3", "0.0.0.0:7"}, {"ff02::1:2", "[::]:7"},
	} {
		t.Run(row.group, func(t *testing.T) {
			group := netip.MustParseAddr(row.group)
			to := netip.AddrPortFrom(group, 7).String()
			var members []network.Socket
			for _, host := range h {
				m := bind(t, host, network.Datagram, row.any)
				check(t, m.Join(group, network.Interface{}))
				members = append(members, m)
			}
			stranger := bind(t, h[1], network.Datagram, netip.AddrPortFrom(group, 8).String())
			sender := members[0]
			send(t, sender, "to all", to)
			for _, m := range members {
				expect(t, m, "to all")
			}
			expect(t, stranger, "")
			loop, hops := network.MulticastLoop4, network.MulticastTTL
			if group.Is6() {
				loop, hops = network.MulticastLoop6, network.MulticastHops
			}
			check(t, sender.SetOption(loop, 0))
			send(t, sender, "to others", to)
			expect(t, members[0], "")
			expect(t, members[1], "to others")
			expect(t, members[2], "to others")
			check(t, sender.SetOption(loop, 1))
			check(t, sender.SetOption(hops, 0))
			send(t, sender, "at home", to)
			expect(t, members[0], "at home")
			expect(t, members[1], "")
			check(t, members[2].Leave(group, network.Interface{}))
			check(t, sender.SetOption(hops, 1))
			send(t, sender, "to fewer", to)
			expect(t, members[1], "to fewer")
			expect(t, members[2], "")
		})
	}
	s := open(t, h[0], network.IPv4, network.Datagram)
	for i := range 20 {
		check(t, s.Join(netip.AddrFrom4([4]byte{239, 9, 9, byte(i)}), network.Interface{}))
	}
	wantErr(t, "join one more", s.Join(netip.MustParseAddr("239.9.9.99"), network.Interface{}),
		syscall.ENOBUFS)
}

func TestBroadcast(t *testing.T) {
	h := hosts(t, "a", "b")
	receivers := []network.Socket{bind(t, h[0], network.Datagram, "0.0.0.0:7"),
		bind(t, h[1], network.Datagram, "0.0.0.0:7")}
	s := open(t, h[0], network.IPv4, network.Datagram)
	check(t, s.SetOption(network.Broadcast, 1))
	send(t, s, "to all", "255.255.255.255:7")
	expect(t, receivers[0], "to all")
	expect(t, receivers[1], "to all")
	send(t, s, "at home", "127.255.255.255:7")
	expect(t, receivers[0], "at home")
	expect(t, receivers[1], "")
}

func TestMTU(t *testing.T) {
	w, err := virtual.Config{MTU: 1500}.New()
	check(t, err)
	a, err := w.Host("a")
	check(t, err)
	b, err := w.Host("b")
	check(t, err)
	for _, row := range []struct {
		to   string
		most int
	}{{"10.0.0.2:7", 1472}, {"[fd00::2]:7", 1452}, {"127.0.0.1:7", 65507}, {"[::1]:7", 65527}} {
		t.Run(row.to, func(t *testing.T) {
			to := netip.MustParseAddrPort(row.to)
			family := network.IPv4
			if to.Addr().Is6() {
				family = network.IPv6
			}
			s := open(t, a, family, network.Datagram)
			if n, err := s.Send(one(make([]byte, row.most)), to); n != row.most || err != nil {
				t.Errorf("got %d, %v; want %d bytes sent", n, err, row.most)
			}
			_, err := s.Send(one(make([]byte, row.most+1)), to)
			wantErr(t, "one more", err, syscall.EMSGSIZE)
		})
	}
	listen(t, b, "0.0.0.0:7", 1)
	c := dial(t, a, "10.0.0.2:7")
	check(t, c.FinishConnect())
	if v, err := c.Option(network.MaxSegment); v != 1460 || err != nil {
		t.Errorf("got segments of %d, %v; want 1460", v, err)
	}
}

func TestSourceAddress(t *testing.T) {
	h := hosts(t, "a", "b")
	s := bind(t, h[0], network.Stream, "127.0.0.1:0")
	wantErr(t, "from loopback to another host", s.Connect(netip.MustParseAddrPort("10.0.0.2:7")),
		syscall.EINVAL)
	d := bind(t, h[0], network.Datagram, "127.0.0.1:0")
	_, err := d.Send(one(nil), netip.MustParseAddrPort("10.0.0.2:7"))
	wantErr(t, "datagram from loopback to another host", err, syscall.EINVAL)
	_, err = d.Send(one(nil), netip.MustParseAddrPort("192.0.2.1:7"))
	wantErr(t, "datagram to nowhere", err, syscall.ENETUNREACH)
}

// clock is a Clock that a test moves.
type clock struct {
	virtual.Clock
	now    time.Time
	timers chan func()
}

func (c *clock) Now() time.Time { return c.now }

func (c *clock) AfterFunc(d time.Duration, f func()) virtual.Timer {
	c.timers <- func() { c.now = c.now.Add(d); f() }
	return time.NewTimer(time.Hour) // which Stop and Reset do nothing of note to
}

func TestTimeComesFromClock(t *testing.T) {
	c := &clock{now: time.Unix(1000, 0), timers: make(chan func())}
	w, err := virtual.Config{Clock: c}.New()
	check(t, err)
	h, err := w.Host("a")
	check(t, err)
	s := bind(t, h, network.Datagram, "127.0.0.1:0")
	done := make(chan error, 1)
	go func() {
		_, err := s.Wait(network.Readable, time.Unix(1000, 0).Add(time.Hour))
		done <- err
	}()
	fire := <-c.timers
	fire()
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the deadline exceeded", err)
	}
}

func TestHostCloses(t *testing.T) {
	w := virtual.New()
	a, err := w.Host("a")
	check(t, err)
	b, err := w.Host("b")
	check(t, err)
	l := listen(t, b, "0.0.0.0:7", 1)
	c := dial(t, a, "10.0.0.2:7")
	check(t, c.FinishConnect())
	s, _, err := l.Accept()
	check(t, err)
	check(t, b.Close())
	wantErr(t, "close again", b.Close(), net.ErrClosed)
	send(t, c, "goes on", "")
	expect(t, s, "goes on")
	wantErr(t, "connect", open(t, a, network.IPv4, network.Stream).Connect(
		netip.MustParseAddrPort("10.0.0.2:7")), syscall.ENETUNREACH)
	_, err = b.Open(network.IPv4, network.Stream)
	wantErr(t, "open", err, syscall.ENETDOWN)
	again, err := w.Host("b")
	check(t, err)
	if got, want := again.Addrs()[0].String(), "10.0.0.2"; got != want {
		t.Errorf("got address %s, want %s", got, want)
	}
}
