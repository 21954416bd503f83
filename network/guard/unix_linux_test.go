package guard_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// unixDir makes addresses of names in a directory, which the guest knows as "/run".
func unixDir(t *testing.T) func(name string) network.UnixAddr {
	dir := t.TempDir()
	return func(name string) network.UnixAddr {
		open := func(use func(uintptr, string) error) error {
			d, err := os.Open(dir)
			must(t, err)
			defer d.Close()
			return use(d.Fd(), name)
		}
		return network.UnixAddr{Path: "/run/" + name, Open: open}
	}
}

func unixSocket(t *testing.T, n network.Network) network.UnixSocket {
	s := open(t, n, network.Unix, network.Stream)
	return s.(network.UnixSocket)
}

// TestUnixPathsAreJudged makes every call that names a path, with a rule and without.
func TestUnixPathsAreJudged(t *testing.T) {
	at := unixDir(t)
	var log auditLog
	var refused []string
	learner := new(policy.Learner)
	p := testutil.Policy(t, "allow listen unix:/run/*", "deny listen unix:/run/secret",
		"allow connect unix:/run/s", "allow connect any", "allow listen any")
	n := guard.New(kernel.New(kernel.Config{}), p, guard.Options{Audit: log.logger(),
		Learner:   learner,
		OnRefusal: func(r *policy.Refusal) { refused = append(refused, r.Error()) }})

	l := unixSocket(t, n)
	wantErr(t, "listen unbound", l.(network.Socket).Listen(1), syscall.EINVAL)
	wantErr(t, "bind where a rule denies", l.BindUnix(at("secret")), syscall.EACCES)
	wantErr(t, "bind", l.BindUnix(at("s")), nil)
	wantErr(t, "bind again", l.BindUnix(at("secret")), syscall.EINVAL)
	wantErr(t, "listen", l.(network.Socket).Listen(1), nil)
	wantErr(t, "connect a listener", l.ConnectUnix(at("secret")), syscall.EINVAL)

	c := unixSocket(t, n)
	wantErr(t, "connect without a rule", c.ConnectUnix(at("other")), syscall.EACCES)
	wantErr(t, "connect", c.ConnectUnix(at("s")), nil)
	wantErr(t, "connect again", c.ConnectUnix(at("other")), syscall.EISCONN)
	wantErr(t, "listen when connected", c.(network.Socket).Listen(1), syscall.EINVAL)
	s := accept(t, l.(network.Socket), time.Now().Add(testTimeout))
	if s == nil {
		t.Fatal("got no connection, want one")
	}
	defer s.Close()
	wantErr(t, "listen when accepted", s.Listen(1), syscall.EINVAL)
	tcp := open(t, n, network.IPv4, network.Stream).(network.UnixSocket)
	wantErr(t, "bind a socket of TCP", tcp.BindUnix(at("secret")), syscall.EAFNOSUPPORT)
	wantErr(t, "connect a socket of TCP", tcp.ConnectUnix(at("other")), syscall.EAFNOSUPPORT)

	var records []string
	for _, r := range log.records(t) {
		at := r["address"]
		if r["action"] == "accept" {
			at = r["local"]
		}
		records = append(records,
			fmt.Sprint(r["action"], " ", r["protocol"], " ", at, " ", r["decision"]))
	}
	if want := []string{
		"bind unix /run/secret denied", "bind unix /run/s allowed", "listen unix /run/s allowed",
		"connect unix /run/other denied", "connect unix /run/s allowed",
		"accept unix /run/s allowed",
	}; !slices.Equal(records, want) {
		t.Errorf("got the records %q, want %q", records, want)
	}
	if want := []string{
		`denied bind unix /run/secret: "deny listen unix:/run/secret" (test) refuses it`,
		`denied connect unix /run/other: no connect rule covers it`,
	}; !slices.Equal(refused, want) {
		t.Errorf("got the refusals %q, want %q", refused, want)
	}
	var rules []string
	for _, r := range learner.Rules() {
		rules = append(rules, r.String())
	}
	if got, want := strings.Join(rules, ", "),
		"allow connect unix:/run/s, allow listen unix:/run/s"; got != want {
		t.Errorf("learnt %q, want %q", got, want)
	}
	if got := n.Counters(); got.Allowed[policy.OpConnect] != 1 || got.Denied[policy.OpBind] != 1 {
		t.Errorf("got %+v, want one connect and one bind that was denied", got)
	}
}

// TestUnixPolicyChanges takes the rule away between bind and listen, and between two connects to a
// full backlog.
func TestUnixPolicyChanges(t *testing.T) {
	at, none := unixDir(t), testutil.Policy(t)
	n := guarded(t, "allow listen unix:*", "allow connect unix:*")
	all := n.Policy()
	l := unixSocket(t, n)
	wantErr(t, "bind", l.BindUnix(at("s")), nil)
	n.SetPolicy(none)
	wantErr(t, "listen without a rule", l.(network.Socket).Listen(0), syscall.EACCES)
	n.SetPolicy(all)
	wantErr(t, "listen", l.(network.Socket).Listen(0), nil)
	c := fillBacklog(t, n, at("s"))
	n.SetPolicy(none)
	wantErr(t, "connect without a rule", c.ConnectUnix(at("s")), syscall.EACCES)
	n.SetPolicy(all)
	accept(t, l.(network.Socket), time.Now().Add(testTimeout)).Close()
	wantErr(t, "connect", c.ConnectUnix(at("s")), nil)
}

// TestUnixListenerObeysLaterPolicies takes the rule of a listener away: peers are turned away until
// it has one again.
func TestUnixListenerObeysLaterPolicies(t *testing.T) {
	at, none := unixDir(t), testutil.Policy(t)
	var log auditLog
	var turnedAway []string
	all := testutil.Policy(t, "allow listen unix:/run/s")
	n := guard.New(kernel.New(kernel.Config{}), all, guard.Options{Audit: log.logger(),
		OnDeniedPeer: func(r *policy.Refusal) { turnedAway = append(turnedAway, r.Error()) }})
	l := unixSocket(t, n)
	wantErr(t, "bind", l.BindUnix(at("s")), nil)
	wantErr(t, "listen", l.(network.Socket).Listen(5), nil)
	peers := guarded(t, "allow connect unix:*")
	connect := func() network.Socket {
		c := unixSocket(t, peers)
		wantErr(t, "connect", c.ConnectUnix(at("s")), nil)
		return c.(network.Socket)
	}

	n.SetPolicy(none)
	for range 2 {
		c := connect()
		_, _, err := l.(network.Socket).Accept()
		wantErr(t, "accept without a rule", err, syscall.EAGAIN)
		r, err := c.Recv([][]byte{make([]byte, 1)}, 0)
		if r.N != 0 || err != nil {
			t.Errorf("the peer: got %d bytes, %v, want the end", r.N, err)
		}
	}
	if got := n.Counters(); got.DroppedConnections != 2 || got.Denied[policy.OpListen] != 2 ||
		got.Allowed[policy.OpAccept] != 0 || got.OpenSockets != 1 {
		t.Errorf("got %+v, want two connections that were turned away", got)
	}
	if want := []string{"denied listen unix /run/s: no rule allows listen by unix"}; !slices.Equal(
		turnedAway, want) {
		t.Errorf("got %q, want %q", turnedAway, want)
	}
	if r := log.records(t); len(r) != 4 || r[3]["decision"] != "denied" ||
		r[3]["address"] != "/run/s" {
		t.Errorf("got the records %v, want the last two of peers", r)
	}

	n.SetPolicy(all)
	connect()
	accept(t, l.(network.Socket), time.Now().Add(testTimeout)).Close()
}

// fillBacklog connects until the backlog is full, and returns the socket that found it so.
func fillBacklog(t *testing.T, n network.Network, a network.UnixAddr) network.UnixSocket {
	for range 16 {
		c := unixSocket(t, n)
		switch err := c.ConnectUnix(a); err {
		case nil:
		case network.ErrBacklogFull:
			return c
		default:
			t.Fatalf("got %v, want a full backlog", err)
		}
	}
	t.Fatal("got 16 connections, want a full backlog")
	return nil
}

// TestUnixLimits reaches the limits of sockets and of connects. A socket that waits for room in a
// backlog is charged once.
func TestUnixLimits(t *testing.T) {
	at := unixDir(t)
	limited := func(l policy.Limits) *guard.Network {
		n := guarded(t, "allow listen unix:*", "allow connect unix:*")
		return guard.New(kernel.New(kernel.Config{}), policy.New(n.Policy().Rules(), l),
			guard.Options{})
	}
	n := limited(policy.Limits{Sockets: 2})
	first := unixSocket(t, n)
	unixSocket(t, n)
	_, err := n.Open(network.Unix, network.Stream)
	wantErr(t, "a third socket", err, syscall.EMFILE)
	wantErr(t, "close", first.(network.Socket).Close(), nil)
	unixSocket(t, n)

	l := unixSocket(t, guarded(t, "allow listen unix:*"))
	wantErr(t, "bind", l.BindUnix(at("s")), nil)
	wantErr(t, "listen", l.(network.Socket).Listen(0), nil)
	n = limited(policy.Limits{ConnectsPerSecond: 3})
	c := fillBacklog(t, n, at("s")) // the second connect
	for range 10 {
		wantErr(t, "connect to the full backlog", c.ConnectUnix(at("s")), network.ErrBacklogFull)
	}
	wantErr(t, "the third connect", unixSocket(t, n).ConnectUnix(at("none")), syscall.ENOENT)
	// The limit's error is not that of a full backlog, for which a caller would wait.
	wantErr(t, "the fourth connect", unixSocket(t, n).ConnectUnix(at("none")), syscall.EAGAIN)

	n = limited(policy.Limits{SocketMemory: 1 << 16})
	_, err = n.Open(network.Unix, network.Stream)
	for err == nil {
		_, err = n.Open(network.Unix, network.Stream)
	}
	wantErr(t, "the last socket", err, syscall.ENOBUFS)
}

// TestUnixWithoutSupport uses a Network without paths of sockets.
func TestUnixWithoutSupport(t *testing.T) {
	n := guard.New(plainNetwork{kernel.New(kernel.Config{})},
		testutil.Policy(t, "allow connect unix:*"), guard.Options{})
	c := unixSocket(t, n)
	wantErr(t, "connect", c.ConnectUnix(unixDir(t)("s")), syscall.EAFNOSUPPORT)
}

// plainNetwork hides all but the methods of Socket.
type plainNetwork struct{ network.Network }

func (p plainNetwork) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := p.Network.Open(f, typ)
	return struct{ network.Socket }{s}, err
}

// TestUnixRecordsQuoteControlCharacters records a path that a terminal must not see.
func TestUnixRecordsQuoteControlCharacters(t *testing.T) {
	var log auditLog
	n := guard.New(kernel.New(kernel.Config{}), testutil.Policy(t),
		guard.Options{Audit: log.logger()})
	name := "x\x1b]0;title\a" + strings.Repeat("y", 300)
	a := unixDir(t)(name)
	wantErr(t, "connect", unixSocket(t, n).ConnectUnix(a), syscall.EACCES)
	for _, r := range log.records(t) {
		got := r["address"].(string)
		if strings.ContainsAny(got, "\x1b\a") || len(got) > 300 {
			t.Errorf("got the path %q in a record, want it quoted and cut", got)
		}
		if hint := r["hint"].(string); !strings.Contains(hint, "unix:/DIR/*") {
			t.Errorf("got the hint %q, want one for the directory", hint)
		}
	}
}

// nativeUnixListener listens in a directory of the host, and returns the address of its socket.
func nativeUnixListener(t *testing.T) (*net.UnixListener, network.UnixAddr) {
	dir := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dir + "/s", Net: "unix"})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l, network.UnixAddr{Path: "/run/s", Open: func(use func(uintptr, string) error) error {
		d, err := os.Open(dir)
		must(t, err)
		defer d.Close()
		return use(d.Fd(), "s")
	}}
}

// fillUnix connects, sends as much as there is room for, and returns how much that was.
func fillUnix(t *testing.T, s network.Socket, a network.UnixAddr) (sent int) {
	t.Helper()
	must(t, s.(network.UnixSocket).ConnectUnix(a))
	b := [][]byte{make([]byte, 1<<14)}
	for {
		n, err := s.Send(b, netip.AddrPort{})
		if err == syscall.EAGAIN {
			return sent
		}
		must(t, err)
		sent += n
	}
}

// TestClosedUnixSocketCountsUntilItsPeerReads closes a socket whose data its peer has not taken, in
// ways in which a close of TCP would discard them. It counts until the peer has taken all.
func TestClosedUnixSocketCountsUntilItsPeerReads(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, s network.Socket, c net.Conn){
		"full": func(*testing.T, network.Socket, net.Conn) {},
		"no linger time": func(t *testing.T, s network.Socket, _ net.Conn) {
			must(t, s.SetOption(network.Linger, 0))
		},
		"unread": func(t *testing.T, _ network.Socket, c net.Conn) {
			_, err := c.Write([]byte("unread"))
			must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			peer, at := nativeUnixListener(t)
			n := guard.New(kernel.New(kernel.Config{}), policy.New(
				testutil.Policy(t, "allow connect unix:*").Rules(), policy.Limits{Sockets: 1}),
				guard.Options{})
			defer n.Close()
			s, err := n.Open(network.Unix, network.Stream)
			must(t, err)
			sent := fillUnix(t, s, at)
			c, err := peer.Accept()
			must(t, err)
			defer c.Close()
			prepare(t, s, c)
			must(t, s.Close())
			_, err = n.Open(network.Unix, network.Stream)
			wantErr(t, "open while data are untaken", err, syscall.EMFILE)
			if _, err := c.Write([]byte("late")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("the peer sends: got %v, want %v", err, syscall.EPIPE)
			}
			if got, err := io.Copy(io.Discard, c); int(got) != sent || err != nil {
				t.Errorf("got %d bytes and %v, want %d and no error", got, err, sent)
			}
			deadline := time.Now().Add(testTimeout)
			for s, err = n.Open(network.Unix, network.Stream); err == syscall.EMFILE &&
				time.Now().Before(deadline); { // until the guard has looked again
				s, err = n.Open(network.Unix, network.Stream)
			}
			must(t, err)
			must(t, s.Close())
		})
	}
}

// TestClosedUnixSocketsAreCharged closes full sockets of a peer that never reads, more than may
// be kept of those of TCP. No data are lost, and the limit of memory bounds them.
func TestClosedUnixSocketsAreCharged(t *testing.T) {
	for _, row := range []struct {
		name         string
		buffer       int64
		memory       int64
		atMost, most int
	}{
		{"until the memory is used up", 1 << 20, 4 << 20, 4 << 20, 1000},
		{"beyond the number kept of TCP's", 4096, 0, 1 << 30, 1024 + 16},
	} {
		t.Run(row.name, func(t *testing.T) {
			peer, at := nativeUnixListener(t)
			n := guard.New(kernel.New(kernel.Config{}), policy.New(
				testutil.Policy(t, "allow connect unix:*").Rules(),
				policy.Limits{SocketMemory: row.memory}), guard.Options{})
			defer n.Close()
			var sent, closed int
			for ; closed < row.most; closed++ {
				s, err := n.Open(network.Unix, network.Stream)
				if err == syscall.ENOBUFS && row.memory != 0 {
					break
				}
				must(t, err)
				must(t, s.SetOption(network.SendBuffer, row.buffer))
				sent += fillUnix(t, s, at)
				must(t, s.Close())
			}
			if sent > row.atMost || closed == 0 || row.memory != 0 && closed == row.most {
				t.Errorf("got %d bytes of %d closed sockets, want at most %d", sent, closed,
					row.atMost)
			}
			if open := n.Counters().OpenSockets; int(open) != closed {
				t.Errorf("got %d sockets that count, want %d", open, closed)
			}
			for range closed {
				c, err := peer.Accept()
				must(t, err)
				got, err := io.Copy(io.Discard, c)
				c.Close()
				if must(t, err); got == 0 {
					t.Fatal("got no data, want what was sent")
				}
				sent -= int(got)
			}
			if sent != 0 {
				t.Errorf("got %d bytes less than were sent", sent)
			}
		})
	}
}
